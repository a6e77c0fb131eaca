import { messageOf } from '../errors.ts';
import {
  type Desired,
  type Memory,
  type ServiceKey,
  type Snapshot,
  type Step,
  serviceKey,
  type Table,
} from '../model.ts';
import { afterSteps } from '../plan/after-steps.ts';
import { createDiff } from '../plan/diff.ts';
import { type Drift, drift } from '../plan/drift.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import type { Owned, Plan } from '../plan/plan.ts';
import type {
  Clock,
  IpvsTable,
  Ledger,
  Log,
  Reachability,
  ReachabilityReport,
  StateStore,
  StepFailure,
} from '../ports.ts';
import type { PassStatus } from '../status/status.ts';
import { Backoff } from './backoff.ts';
import type { Merged } from './sources.ts';

export interface ReconcilePorts {
  readonly table: IpvsTable;
  /** null where nothing is to be written. */
  readonly reachability: Reachability | null;
  readonly ledger: Ledger;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReconcileRules {
  readonly translate: (snapshot: Snapshot, memory: Memory) => Desired;
  /** Whether an address lies in a pool of named VIPs. */
  readonly inPool: (address: string) => boolean;
  readonly adopt: boolean;
  readonly dryRun: boolean;
}

export interface PassRequest {
  /** Read the kernel's whole table first, rather than trust what is known of it. */
  readonly full: boolean;
  readonly changesSince: readonly number[];
}

const RETRY = { firstMs: 200, limitMs: 60_000 };

/**
 * Makes passes: source -> desired -> plan -> apply -> status. One at a time.
 *
 * Every pass computes from what the sources say now and what the kernel has: a full pass reads the kernel, a smaller
 * one trusts what the pass before left there. A pass never rejects: what went wrong is in its status, and the next
 * pass reads the kernel again.
 */
export class Reconciler {
  readonly #ports: ReconcilePorts;
  readonly #rules: ReconcileRules;
  readonly #diff = createDiff();
  readonly #backoff: Backoff<ServiceKey>;
  #memory: Memory | null = null;
  #ledger: ReadonlyMap<ServiceKey, Owned> | null = null;
  /** What the kernel has as far as we know; null when it must be read. */
  #believed: Table | null = null;
  #reached: { readonly wanted: string; readonly report: ReachabilityReport } | null = null;
  /** The table as the last full pass left it, for telling who changed what. */
  #left: Table | null = null;

  constructor(ports: ReconcilePorts, rules: ReconcileRules, random: () => number = Math.random) {
    this.#ports = ports;
    this.#rules = rules;
    this.#backoff = new Backoff(RETRY, random);
  }

  /** When a step that failed may be tried again; null when none waits. */
  nextRetry(): number | null {
    return this.#backoff.nextDue();
  }

  async pass({ snapshot, complete }: Merged, { full, changesSince }: PassRequest): Promise<PassStatus> {
    const { clock } = this.#ports;
    const startedAt = clock.now();
    const memory = await this.#remembered();
    const desired = this.#rules.translate(snapshot, memory);
    const reading = full || this.#believed === null;
    const frame = { startedAt, kind: reading ? 'full' : 'changes', desired, changesSince } as const;

    let observed = this.#believed ?? NOTHING;
    let plan = EMPTY_PLAN;
    let drifted: readonly Drift[] = [];
    const outcome: Outcome = { failures: [], waiting: 0, reached: NOT_LOOKED_AT };
    let error: string | null = null;
    try {
      if (reading) {
        observed = await this.#ports.table.observe();
        drifted = this.#left === null ? [] : drift(this.#left, observed, this.#ledger ?? NOTHING);
      }
      const ledger = await this.#loadedLedger(observed);
      const { inPool, adopt, dryRun } = this.#rules;
      plan = this.#diff(desired, observed, { owned: ledger, inPool, adopt });
      if (!reading && plan.services.some(({ op, address }) => op === 'add' && !inPool(address))) {
        // Another program may have made a service there since the table was read: it must not be written into.
        observed = await this.#ports.table.observe();
        plan = this.#diff(desired, observed, { owned: ledger, inPool, adopt });
      }
      if (!complete) plan = onlyWhatIsMissing(plan);
      if (desired.memory !== memory) await this.#remember(desired.memory);
      if (!dryRun) {
        observed = await this.#apply(plan, observed, outcome, reading);
      }
      this.#believed = outcome.failures.length === 0 ? observed : null;
      this.#left = dryRun ? null : observed;
    } catch (cause) {
      error = messageOf(cause);
      this.#believed = null;
    }
    const failures = outcome.failures.map((failure) => ({
      step: formatStep(failure.step),
      message: messageOf(failure.error),
    }));
    const { changed: repaired, problems, advice } = outcome.reached;
    const { waiting } = outcome;
    const result = { plan, observed, failures, waiting, problems, advice, repaired, drift: drifted, error };
    return { ...frame, finishedAt: clock.now(), ...result };
  }

  /** Rule 7: what is new is made, then reachable; what goes is unreachable first; nothing goes before what is new is there. */
  async #apply(plan: Plan, observed: Table, outcome: Outcome, full: boolean): Promise<Table> {
    const { table, clock } = this.#ports;
    const now = clock.now();
    await this.#own(plan.owned);

    const due = (step: Step) => !this.#backoff.holds(serviceKey(step.service), now);
    const growing = plan.growing.filter(due);
    outcome.failures.push(...(await table.apply(growing)));
    const broken = new Set(outcome.failures.map(({ step }) => serviceKey(step.service)));
    for (const { service } of plan.growing) {
      const key = serviceKey(service);
      if (this.#backoff.holds(key, now)) broken.add(key);
    }

    outcome.reached = await this.#reach(this.#addresses(plan, broken), full);

    // The backends that replace these could not be added: better an old one than none.
    const shrinking = plan.shrinking.filter((step) => due(step) && !broken.has(serviceKey(step.service)));
    outcome.failures.push(...(await table.apply(shrinking)));

    outcome.waiting = plan.growing.length + plan.shrinking.length - growing.length - shrinking.length;
    this.#settleBackoff([...growing, ...shrinking], outcome.failures, plan);
    const failed = new Set(outcome.failures.map(({ step }) => step));
    const left = afterSteps(
      observed,
      [...growing, ...shrinking].filter((step) => !failed.has(step)),
    );
    await this.#disown(left, plan);
    return left;
  }

  /** Between full passes only a change of the addresses matters: what others take away is put back every second. */
  async #reach(addresses: readonly string[], full: boolean): Promise<ReachabilityReport> {
    const wanted = addresses.join(' ');
    if (!full && this.#reached?.wanted === wanted) return { ...this.#reached.report, changed: [] };
    const report = (await this.#ports.reachability?.ensure(addresses)) ?? NOT_LOOKED_AT;
    this.#reached = { wanted, report };
    return report;
  }

  /** IP VIPs outside the pools need a route of their own; one whose service could not be made gets none. */
  #addresses(plan: Plan, broken: ReadonlySet<ServiceKey>): string[] {
    const addresses = new Set<string>();
    for (const { op, key, address } of plan.services) {
      const forwards = op !== 'remove' && !(op === 'add' && broken.has(key));
      if (forwards && !this.#rules.inPool(address)) addresses.add(address);
    }
    return [...addresses];
  }

  #settleBackoff(tried: readonly Step[], failures: readonly StepFailure[], plan: Plan): void {
    const now = this.#ports.clock.now();
    const failed = new Set(failures.map(({ step }) => serviceKey(step.service)));
    for (const key of new Set(tried.map(({ service }) => serviceKey(service)))) {
      if (failed.has(key)) this.#backoff.failed(key, now);
      else this.#backoff.succeeded(key);
    }
    const wanted = new Set([...plan.growing, ...plan.shrinking].map(({ service }) => serviceKey(service)));
    this.#backoff.prune((key) => wanted.has(key));
  }

  async #remembered(): Promise<Memory> {
    this.#memory ??= await this.#ports.store.loadMemory();
    return this.#memory;
  }

  async #remember(memory: Memory): Promise<void> {
    this.#memory = memory;
    if (this.#rules.dryRun) return;
    try {
      await this.#ports.store.saveMemory(memory);
    } catch (error) {
      // Addresses stay what they are while we run; only a restart without this file could move a collided name.
      this.#ports.log.warn('memory of names could not be saved', { error: messageOf(error) });
    }
  }

  /** Entries that the kernel lacks are dropped: what they spoke of is gone. */
  async #loadedLedger(observed: Table): Promise<ReadonlyMap<ServiceKey, Owned>> {
    if (this.#ledger !== null) return this.#ledger;
    const { entries, warning } = await this.#ports.ledger.load();
    if (warning !== undefined) this.#ports.log.warn(warning);
    const present = new Map([...entries].filter(([key]) => observed.has(key)));
    this.#ledger = present;
    return present;
  }

  /** Before the kernel is written: a crash in between must not leave a service of which nobody knows that it is ours. */
  async #own(owned: ReadonlyMap<ServiceKey, Owned>): Promise<void> {
    const known = this.#ledger ?? NOTHING;
    if ([...owned].every(([key]) => known.has(key))) return;
    const both = new Map([...known, ...owned]);
    await this.#ports.ledger.save(both);
    this.#ledger = both;
  }

  /** After it: what has been removed, or could never be made, is no longer ours. */
  async #disown(left: Table, plan: Plan): Promise<void> {
    const known = this.#ledger ?? NOTHING;
    const kept = new Map([...known].filter(([key]) => left.has(key) || plan.owned.has(key)));
    for (const { op, key } of plan.services) if (op === 'remove' && !left.has(key)) kept.delete(key);
    if (kept.size === known.size) return;
    await this.#ports.ledger.save(kept);
    this.#ledger = kept;
  }
}

/** What applying has brought so far; kept outside so that an error half-way loses none of it. */
interface Outcome {
  readonly failures: StepFailure[];
  waiting: number;
  reached: ReachabilityReport;
}

const NOT_LOOKED_AT: ReachabilityReport = { changed: [], problems: [], advice: [] };
const NOTHING: ReadonlyMap<ServiceKey, never> = new Map<ServiceKey, never>();
const EMPTY_PLAN: Plan = {
  services: [],
  growing: [],
  shrinking: [],
  conflicts: [],
  owned: NOTHING,
  summary: { add: 0, change: 0, remove: 0, keep: 0 },
};

/**
 * What may be done on the word of our own disk: services that the kernel lacks altogether (after a reboot). One that
 * it has is newer truth than a file, so nothing of it is changed or taken away.
 */
export function onlyWhatIsMissing(plan: Plan): Plan {
  const missing = new Set(plan.services.filter(({ op }) => op === 'add').map(({ key }) => key));
  return {
    ...plan,
    growing: plan.growing.filter(({ service }) => missing.has(serviceKey(service))),
    shrinking: [],
  };
}
