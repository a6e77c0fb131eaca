import { DesiredState } from '../desired/desired-state.ts';
import type { TranslationRules } from '../desired/translation-rules.ts';
import { messageOf } from '../errors.ts';
import { Inventory } from '../inventory/inventory.ts';
import { type Desired, type ObservedService, type ServiceKey, serviceKey } from '../model.ts';
import { inSlices, Pace } from '../pace.ts';
import type { PassStatus } from '../pass-status.ts';
import { everyKey } from '../plan/diff.ts';
import { type Drift, drift } from '../plan/drift.ts';
import { heldNames } from '../plan/held-names.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import type { NamedEnd } from '../plan/let-go.ts';
import type { Owned, Plan } from '../plan/plan.ts';
import { Shortfalls } from '../plan/shortfall.ts';
import type { Clock, IpvsTable, Ledger, Log, Names, Reachability, StateStore } from '../ports.ts';
import { Applier } from './applier.ts';
import { KernelView } from './kernel-view.ts';
import { LedgerBook } from './ledger-book.ts';
import { NameStore } from './name-store.ts';
import { nothingYet, type Outcome } from './outcome.ts';
import { Planner, type PlanResult, type PlanRules } from './planner.ts';
import { ReachabilityView } from './reachability-view.ts';
import type { RefusedBackends } from './refused-backends.ts';
import { takenVips, withdrawTaken } from './withdraw.ts';

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

export interface ReconcileRules extends PlanRules {
  readonly translation: TranslationRules;
  /** Resolves once it is known, as far as it can be, which addresses are `taken`; at once from then on. Never rejects. */
  readonly ready?: () => Promise<void>;
  /** Where what the kernel refuses as a backend is remembered; the translation asks it. Absent: every refusal is a failure. */
  readonly refusedBackends?: RefusedBackends;
  readonly dryRun: boolean;
}

export interface PassRequest {
  /** Read the kernel's whole table first, rather than trust what is known of it. */
  readonly full: boolean;
  /**
   * Every source has been read completely since the start. Without that (the last good state of one comes from
   * disk) nothing may be taken away.
   */
  readonly complete: boolean;
  readonly changesSince: readonly number[];
  /** Where tasks are of which a source has said by name that they ended, or serve a VIP no more. */
  readonly gone: Iterable<NamedEnd>;
}

/** How often the connections of draining backends are counted. */
const DRAIN_LOOK_MS = 5_000;
/** What still changes after so many is for the next pass. */
const HELD_TRIES = 3;

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
  /** What passes bring into the kernel. */
  readonly inventory = new Inventory();
  /** null until what is remembered has been read. */
  #desired: DesiredState | null = null;
  readonly planner: Planner;
  readonly reachability: ReachabilityView;
  readonly #applier: Applier;
  readonly #book: LedgerBook;
  readonly #nameStore: NameStore;
  readonly #view: KernelView;
  #draining = false;
  /** Names of VIPs that the last pass held. */
  #heldNames: ReadonlySet<string> = new Set();
  #lookedAt = 0;
  /** Services that the next pass looks at: they may not be in the kernel as desired. */
  #due: ReadonlySet<ServiceKey> = NONE;
  /** The next pass looks at all of them. */
  #allDue = true;
  #wasComplete = false;
  readonly #shortfalls = new Shortfalls();

  constructor(ports: ReconcilePorts, rules: ReconcileRules, random: () => number = Math.random) {
    this.#ports = ports;
    this.#rules = rules;
    this.#book = new LedgerBook(ports.ledger, ports.clock, ports.log);
    this.planner = new Planner(rules, this.inventory);
    this.reachability = new ReachabilityView(ports.reachability);
    this.#nameStore = new NameStore(ports.store, ports.log, rules.dryRun);
    this.#view = new KernelView(ports.table);
    const { table, names } = ports;
    const unrecorded = (key: ServiceKey) => this.#book.unrecorded(key);
    const parts = {
      view: this.#view,
      reachability: this.reachability,
      unrecorded,
      inPool: rules.inPool,
      random,
    };
    this.#applier = new Applier({ table, names, ...parts });
  }

  /** Whether `refreshInBackground` serves: nothing has to be read before the next pass can be made. */
  get knowing(): boolean {
    return this.#view.isKnown;
  }

  /**
   * Reads the kernel's whole table, and looks whether VIPs are reachable, for the next full pass, while smaller ones go
   * on. To be called between passes; never rejects.
   */
  async refreshInBackground(): Promise<void> {
    await Promise.all([this.#view.refreshInBackground(), this.reachability.refreshInBackground()]);
  }

  /** Whether a VIP of ours has an address that this program depends on, so that a pass is to be made at once. */
  mustWithdraw(): boolean {
    return this.#view.isKnown && takenVips(this.#book.owned, this.#view.table, this.#rules).size > 0;
  }

  /** Resolves once what is remembered is on disk, or could not be saved. */
  async settled(): Promise<void> {
    await this.#nameStore.settled();
  }

  /** Removes VIPs as `mustWithdraw` means them where no source has been read yet. Between passes; never rejects. */
  async withdraw(): Promise<void> {
    if (this.#rules.dryRun) return;
    await this.#rules.ready?.();
    await withdrawTaken(this.#ports, { book: this.#book, reachability: this.reachability }, this.#rules);
  }

  /** When a pass is worth making though nothing changed: a failed step is due, or a drain may have ended. */
  nextLook(): number | null {
    const failed = this.#applier.nextDue();
    const drained = this.#draining ? this.#lookedAt + DRAIN_LOOK_MS : null;
    const refused = this.#rules.refusedBackends?.nextLook() ?? null;
    return earliest(failed, drained, refused);
  }

  async pass({ full, complete, changesSince, gone }: PassRequest): Promise<PassStatus> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    this.planner.begin(gone, startedAt);
    this.#applier.begin();
    await this.#rules.ready?.();
    const pace = new Pace();
    await inSlices((pause) => this.inventory.settle(pause), pace);
    const { desired, unread } = await this.#load();
    this.#allDue ||= complete !== this.#wasComplete;
    this.#wasComplete = complete;
    const update = async (): Promise<void> => {
      desired.begin({ complete, heldNames: this.#heldNames, lacking: this.#applier.lacking(startedAt) });
      await inSlices((pause) => desired.work(pause), pace);
      this.#makeDue(desired.takeTouched());
    };
    await update();
    const reading = full || !this.knowing;
    const frame = { startedAt, kind: reading ? 'full' : 'changes', changesSince } as const;

    const view = this.#view;
    const drifted: Drift[] = [];
    let result = NOTHING_PLANNED;
    const outcome = nothingYet();
    let error: string | null = null;
    try {
      if (unread !== null) throw unread;
      if (this.#draining && startedAt >= this.#lookedAt + DRAIN_LOOK_MS) {
        view.markStale([...this.#book.drains.keys()].flatMap((key) => view.table.get(key) ?? []));
        this.#lookedAt = startedAt;
      }
      const isFresh = reading && (await view.readAll());
      if (!reading) await view.reread([]);
      const owned = await this.#book.load(view.table);
      const { drains } = this.#book;
      const plan = async (): Promise<PlanResult> => {
        drifted.push(...this.#takeDifferences());
        const input = { desired, observed: view.table, owned, drains, complete, now: startedAt, pace };
        return await this.planner.plan({ ...input, keys: this.#allDue ? everyKey(input) : this.#due });
      };
      result = await plan();
      if (!isFresh && result.rereadFirst.length > 0) {
        await view.reread(result.rereadFirst);
        result = await plan();
      }
      // An IP VIP may have been given the address of a name that seemed to be nobody's, or refused that of a name whose VIP
      // is held no more. Either changes what is desired, and that perhaps what is held.
      for (let tries = 0; tries < HELD_TRIES && this.#holdsOthers(result.plan); tries += 1) {
        await update();
        result = await plan();
      }
      await pace.restIfDue();
      desired.commit();
      await pace.restIfDue();
      this.#nameStore.keep(desired.memory);
      await pace.restIfDue();
      if (!this.#rules.dryRun) {
        await this.#book.record(result.plan, result.drains);
        while (await this.#applier.applyServices(result.plan, outcome, { now: startedAt, pace })) {
          await update();
          result = await plan();
        }
        this.#watchDrains(result.drains.size > 0, startedAt);
        const keeping = this.planner.keeping();
        const request = { ...keeping, desired, plan: result.plan, full: reading, now: startedAt, pace };
        await this.#applier.apply(request, outcome);
        await this.#book.forget(view.table, result.plan);
      }
      view.markStale(outcome.failures.map(({ step }) => step.service));
      await inSlices(this.#shortfalls.start({ desired, plan: result.plan, observed: view.table }), pace);
      this.#due = unsettled(result, outcome, this.#rules.dryRun);
      this.#allDue = false;
    } catch (cause) {
      error = messageOf(cause);
      view.forget();
      this.#allDue = true;
    }
    const { changed: repaired, problems } = outcome.reached;
    const advice = [...outcome.reached.advice, ...outcome.unanswered, ...this.#book.advice];
    const { held, letGo, drains } = result;
    const plan = countUntouched(result.plan, desired);
    const left = {
      plan,
      observed: view.table,
      owned: this.#book.owned,
      drains,
      held,
      letGo: this.#rules.dryRun ? null : letGo,
      shortfall: this.#shortfalls.all,
    };
    const done = {
      ...left,
      ...this.#failuresOf(outcome),
      made: outcome.made,
      waiting: outcome.untried.length,
      drift: drifted,
      error,
    };
    return { ...frame, desired, finishedAt: clock.monotonic(), ...done, problems, advice, repaired };
  }

  #makeDue(keys: Iterable<ServiceKey>): void {
    if (!this.#allDue) this.#due = new Set([...this.#due, ...keys]);
  }

  /** What of it someone else did to our services. */
  #takeDifferences(): readonly Drift[] {
    const differences = this.#view.takeDifferences();
    this.#makeDue(differences.keys());
    if (this.#rules.dryRun) return [];
    const was = new Map<ServiceKey, ObservedService>();
    for (const [key, difference] of differences)
      if (difference.was !== undefined && !difference.ours) was.set(key, difference.was);
    const ours = new Map([...was].filter(([key]) => this.#book.owned.has(key)));
    return drift(was, this.#view.table, ours);
  }

  /** `unread`: why the ledger cannot be read. Nothing may be written then, and the next pass begins anew. */
  async #load(): Promise<{ readonly desired: DesiredState; readonly unread: Error | null }> {
    if (this.#desired !== null) return { desired: this.#desired, unread: null };
    const { translation, inPool } = this.#rules;
    let unread: Error | null = null;
    const owned = await this.#book.read().catch((error: Error) => {
      unread = error;
      return new Map<ServiceKey, Owned>();
    });
    const desired = new DesiredState(translation, this.inventory, await this.#nameStore.load(owned, inPool));
    if (unread === null) this.#desired = desired;
    return { desired, unread };
  }

  #failuresOf({ failures }: Outcome): Pick<PassStatus, 'failures' | 'refused'> {
    const { refusedBackends } = this.#rules;
    const failed = refusedBackends?.learn(failures, this.#view.table) ?? failures;
    return {
      failures: failed.map(({ step, error }) => ({ step: formatStep(step), message: messageOf(error) })),
      refused: refusedBackends?.addresses ?? [],
    };
  }

  #watchDrains(draining: boolean, now: number): void {
    if (!this.#draining) this.#lookedAt = now;
    this.#draining = draining;
  }

  /** Whether the plan holds VIPs of other names than those for which apps were translated last; remembers them. */
  #holdsOthers(plan: Plan): boolean {
    const before = this.#heldNames;
    this.#heldNames = heldNames(plan);
    return this.#heldNames.symmetricDifference(before).size > 0;
  }
}

const NONE: ReadonlySet<ServiceKey> = new Set();
const NOTHING_PLANNED: PlanResult = {
  plan: {
    keys: NONE,
    services: [],
    growing: [],
    shrinking: [],
    conflicts: [],
    owned: new Map(),
    summary: { add: 0, change: 0, remove: 0, keep: 0 },
  },
  drains: new Map(),
  held: null,
  letGo: null,
  rereadFirst: [],
};

/** The services that a pass leaves otherwise than desired: the next one looks at them again. */
function unsettled(
  { plan, drains }: PlanResult,
  { failures, untried }: Outcome,
  dryRun: boolean,
): ReadonlySet<ServiceKey> {
  const steps = dryRun ? [...plan.growing, ...plan.shrinking] : untried;
  const keys = new Set(
    [...steps, ...failures.map(({ step }) => step)].map(({ service }) => serviceKey(service)),
  );
  for (const { key } of plan.conflicts) keys.add(key);
  for (const { key, held } of plan.services) if (held) keys.add(key);
  for (const key of drains.keys()) keys.add(key);
  return keys;
}

/** The plan with the services counted that were not looked at. */
function countUntouched(plan: Plan, { services }: Pick<Desired, 'services'>): Plan {
  let looked = 0;
  for (const key of plan.keys) if (services.has(key)) looked += 1;
  const keep = plan.summary.keep + services.size - looked;
  return { ...plan, summary: { ...plan.summary, keep } };
}

function earliest(...times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}
