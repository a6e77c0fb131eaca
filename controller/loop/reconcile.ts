import type { DrainSeconds } from '../desired/living.ts';
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
import { type Drains, keepDraining, takesFromTheLiving } from '../plan/drain.ts';
import { type Drift, drift } from '../plan/drift.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import type { Plan } from '../plan/plan.ts';
import type {
  Clock,
  IpvsTable,
  Ledger,
  Log,
  Names,
  Reachability,
  ReachabilityReport,
  StateStore,
  StepFailure,
} from '../ports.ts';
import type { PassStatus } from '../status/status.ts';
import { Backoff } from './backoff.ts';
import { forwarding } from './forwarding.ts';
import { Holdings } from './holdings.ts';
import type { Merged } from './sources.ts';

export interface ReconcilePorts {
  readonly table: IpvsTable;
  /** null where nothing is to be written. */
  readonly reachability: Reachability | null;
  /** Absent where nobody is told of names. */
  readonly names?: Names | undefined;
  readonly ledger: Ledger;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReconcileRules {
  readonly translate: (snapshot: Snapshot, memory: Memory) => Desired;
  /** Finds the tasks that still run, for draining. */
  readonly living: (snapshot: Snapshot) => DrainSeconds;
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

/** How often the connections of draining backends are counted. */
const DRAIN_LOOK_MS = 5_000;
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
  readonly #holdings: Holdings;
  #memory: Memory | null = null;
  /** What the kernel has as far as we know; null when it must be read. */
  #believed: Table | null = null;
  #draining = false;
  #lookedAt = 0;
  #reached: { readonly wanted: string; readonly report: ReachabilityReport } | null = null;
  /** The table as the last full pass left it, for telling who changed what. */
  #left: Table | null = null;

  constructor(ports: ReconcilePorts, rules: ReconcileRules, random: () => number = Math.random) {
    this.#ports = ports;
    this.#rules = rules;
    this.#backoff = new Backoff(RETRY, random);
    this.#holdings = new Holdings(ports.ledger, ports.log);
  }

  /** When a full pass is worth making before the next regular one: a failed step is due, or a drain may have ended. */
  nextLook(): number | null {
    const retry = this.#backoff.nextDue();
    if (!this.#draining) return retry;
    const drained = this.#lookedAt + DRAIN_LOOK_MS;
    return retry === null ? drained : Math.min(retry, drained);
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
    let drains: Drains = NOTHING;
    let drifted: readonly Drift[] = [];
    const outcome: Outcome = { failures: [], waiting: 0, reached: NOT_LOOKED_AT, unanswered: [] };
    let error: string | null = null;
    try {
      if (reading) {
        observed = await this.#ports.table.observe();
        this.#lookedAt = startedAt;
        drifted = this.#left === null ? [] : drift(this.#left, observed, this.#holdings.owned);
      }
      const { inPool, adopt, dryRun } = this.#rules;
      const ownership = { owned: await this.#holdings.load(observed), inPool, adopt };
      const drainSeconds = this.#rules.living(snapshot);
      plan = this.#diff(desired, observed, ownership);
      if (!reading && this.#mustLook(plan, observed, drainSeconds)) {
        observed = await this.#ports.table.observe();
        plan = this.#diff(desired, observed, ownership);
      }
      const drained = keepDraining(plan, {
        observed,
        drainSeconds,
        drains: this.#holdings.drains,
        now: startedAt,
      });
      drains = drained.drains;
      plan = complete ? drained.plan : onlyWhatIsMissing(drained.plan);
      if (desired.memory !== memory) await this.#remember(desired.memory);
      if (!dryRun) {
        await this.#holdings.claim(plan.owned, drained.drains);
        this.#draining = drained.drains.size > 0;
        observed = await this.#apply(desired, plan, observed, outcome, reading);
        await this.#holdings.release(observed, plan);
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
    const { changed: repaired, problems } = outcome.reached;
    const advice = [...outcome.reached.advice, ...outcome.unanswered];
    const { waiting } = outcome;
    const result = {
      plan,
      observed,
      drains,
      failures,
      waiting,
      problems,
      advice,
      repaired,
      drift: drifted,
      error,
    };
    return { ...frame, finishedAt: clock.now(), ...result };
  }

  /**
   * Whether what is known of the kernel is not enough for this plan: another program may have made a service outside
   * the pools since the table was read, which must not be written into; and connections may have come to a backend.
   */
  #mustLook(plan: Plan, observed: Table, drainSeconds: DrainSeconds): boolean {
    const outside = plan.services.some(({ op, address }) => op === 'add' && !this.#rules.inPool(address));
    return outside || takesFromTheLiving(plan, { observed, drainSeconds });
  }

  /**
   * Rule 7: what is new is made, then reachable, then has a name; what goes has lost its name and is unreachable before;
   * nothing goes before what is new is there.
   */
  async #apply(
    desired: Desired,
    plan: Plan,
    observed: Table,
    outcome: Outcome,
    full: boolean,
  ): Promise<Table> {
    const { table, clock } = this.#ports;
    const now = clock.now();

    const due = (step: Step) => !this.#backoff.holds(serviceKey(step.service), now);
    const growing = plan.growing.filter(due);
    outcome.failures.push(...(await table.apply(growing)));
    const broken = new Set(outcome.failures.map(({ step }) => serviceKey(step.service)));
    for (const { service } of plan.growing) {
      const key = serviceKey(service);
      if (this.#backoff.holds(key, now)) broken.add(key);
    }

    outcome.reached = await this.#reach(this.#addresses(plan, broken), full);
    const grown = afterSteps(observed, made(growing, outcome));
    outcome.unanswered = this.#ports.names?.announce(forwarding(desired, plan, grown)) ?? [];

    // The backends that replace these could not be added: better an old one than none.
    const shrinking = plan.shrinking.filter((step) => due(step) && !broken.has(serviceKey(step.service)));
    outcome.failures.push(...(await table.apply(shrinking)));

    outcome.waiting = plan.growing.length + plan.shrinking.length - growing.length - shrinking.length;
    this.#settleBackoff([...growing, ...shrinking], outcome.failures, plan);
    return afterSteps(grown, made(shrinking, outcome));
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
}

/** What applying has brought so far; kept outside so that an error half-way loses none of it. */
interface Outcome {
  readonly failures: StepFailure[];
  waiting: number;
  reached: ReachabilityReport;
  /** What keeps names from being asked for. */
  unanswered: readonly string[];
}

function made(steps: readonly Step[], { failures }: Outcome): readonly Step[] {
  const failed = new Set(failures.map(({ step }) => step));
  return steps.filter((step) => !failed.has(step));
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
