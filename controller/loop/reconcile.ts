import { DesiredState, type TranslationRules } from '../desired/desired-state.ts';
import { messageOf } from '../errors.ts';
import { Inventory } from '../inventory/inventory.ts';
import type { BackendKey, ServiceKey, Table } from '../model.ts';
import { inSlices } from '../pace.ts';
import type { Drains } from '../plan/drain.ts';
import { type Drift, drift } from '../plan/drift.ts';
import { heldNames } from '../plan/held-names.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import type { Plan } from '../plan/plan.ts';
import type { Clock, IpvsTable, Ledger, Log, Names, Reachability, StateStore } from '../ports.ts';
import type { HeldRemoval, PassStatus } from '../status/pass-status.ts';
import { Applier } from './applier.ts';
import { Holdings } from './holdings.ts';
import { Knowledge } from './knowledge.ts';
import { nothingYet, type Outcome, withoutFailed } from './outcome.ts';
import { Planner, type PlanRules } from './planner.ts';
import { Reach } from './reach.ts';
import { Recollection } from './recollection.ts';
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
  readonly gone: Iterable<BackendKey>;
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
  readonly reach: Reach;
  readonly #applier: Applier;
  readonly #holdings: Holdings;
  readonly #recollection: Recollection;
  readonly #knowledge: Knowledge;
  #draining = false;
  /** Names of VIPs that the last pass held. */
  #heldNames: ReadonlySet<string> = new Set();
  #lookedAt = 0;
  /** The table as the last full pass left it, for telling who changed what. */
  #left: Table | null = null;

  constructor(ports: ReconcilePorts, rules: ReconcileRules, random: () => number = Math.random) {
    this.#ports = ports;
    this.#rules = rules;
    this.#holdings = new Holdings(ports.ledger, ports.clock, ports.log);
    this.planner = new Planner(rules, this.inventory);
    this.reach = new Reach(ports.reachability);
    this.#recollection = new Recollection(ports.store, ports.log, rules.dryRun);
    this.#knowledge = new Knowledge(ports.table);
    const { table, names } = ports;
    const parts = { knowledge: this.#knowledge, reach: this.reach, inPool: rules.inPool, random };
    this.#applier = new Applier({ table, names, ...parts });
  }

  /** Whether `readBeside` serves: nothing has to be read before the next pass can be made. */
  get knowing(): boolean {
    return this.#knowledge.believed !== null;
  }

  /**
   * Reads the kernel's whole table, and looks whether VIPs are reachable, for the next full pass, while smaller ones go
   * on. To be called between passes; never rejects.
   */
  async readBeside(): Promise<void> {
    await Promise.all([this.#knowledge.readBeside(), this.reach.lookBeside()]);
  }

  /** Whether a VIP of ours has an address that this program depends on, so that a pass is to be made at once. */
  mustWithdraw(): boolean {
    const observed = this.#knowledge.believed;
    return observed !== null && takenVips(this.#holdings.owned, observed, this.#rules).size > 0;
  }

  /** Removes VIPs as `mustWithdraw` means them where no source has been read yet. Between passes; never rejects. */
  async withdraw(): Promise<void> {
    if (this.#rules.dryRun) return;
    await this.#rules.ready?.();
    await withdrawTaken(this.#ports, { holdings: this.#holdings, reach: this.reach }, this.#rules);
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
    await inSlices((pause) => this.inventory.settle(pause));
    const desired = await this.#load();
    const translate = async (): Promise<void> => {
      desired.begin({ complete, heldNames: this.#heldNames, lacking: this.#applier.lacking(startedAt) });
      await inSlices((pause) => desired.work(pause));
    };
    await translate();
    const reading = full || !this.knowing;
    const frame = { startedAt, kind: reading ? 'full' : 'changes', changesSince } as const;

    let observed = this.#knowledge.believed ?? NOTHING;
    let plan = EMPTY_PLAN;
    let draining: Drains = NOTHING;
    let drifted: readonly Drift[] = [];
    const outcome = nothingYet();
    let held: HeldRemoval | null = null;
    let error: string | null = null;
    try {
      if (this.#draining && startedAt >= this.#lookedAt + DRAIN_LOOK_MS) {
        this.#knowledge.doubt([...this.#holdings.drains.keys()].flatMap((key) => observed.get(key) ?? []));
        this.#lookedAt = startedAt;
      }
      const read = reading ? await this.#knowledge.whole() : await this.#knowledge.recent();
      observed = read.table;
      if (this.#left !== null && observed !== this.#left)
        drifted = drift(this.#left, observed, this.#holdings.owned);
      const owned = await this.#holdings.load(observed);
      const { drains } = this.#holdings;
      const situation = { owned, drains, complete, now: startedAt };
      const intend = () => this.planner.intend({ ...situation, desired, observed });
      await this.planner.prepare(desired, observed);
      let intention = intend();
      if (!read.fresh && intention.mustLook.length > 0) {
        observed = await this.#knowledge.again(observed, intention.mustLook);
        intention = intend();
      }
      // An IP VIP may have been given the address of a name that seemed to be nobody's, or refused that of a name whose VIP
      // is held no more. Either changes what is desired, and that perhaps what is held.
      for (let tries = 0; tries < HELD_TRIES && this.#holdsOthers(intention.plan); tries += 1) {
        await translate();
        intention = intend();
      }
      ({ plan, held, drains: draining } = intention);
      desired.commit();
      await this.#recollection.keep(desired.memory);
      if (!this.#rules.dryRun) {
        await this.#holdings.claim(plan.owned, intention.drains);
        while (await this.#applier.applyServices(plan, outcome, startedAt)) {
          await translate();
          intention = intend();
          ({ plan, held, drains: draining } = intention);
        }
        this.#watchDrains(draining.size > 0, startedAt);
        const keeping = this.planner.keeping();
        const request = { ...keeping, desired, plan, observed, full: reading, now: startedAt };
        observed = await this.#applier.apply(request, outcome);
        await this.#holdings.release(observed, plan);
      }
      this.#knowledge.believe(observed);
      this.#knowledge.doubt(outcome.failures.map(({ step }) => step.service));
      this.#left = this.#rules.dryRun ? null : withoutFailed(observed, outcome);
    } catch (cause) {
      error = messageOf(cause);
      this.#knowledge.forget();
    }
    const { changed: repaired, problems } = outcome.reached;
    const advice = [...outcome.reached.advice, ...outcome.unanswered];
    const { waiting } = outcome;
    const told = this.#failuresOf(outcome, observed);
    const done = { plan, observed, drains: draining, ...told, waiting, held, drift: drifted, error };
    return { ...frame, desired, finishedAt: clock.monotonic(), ...done, problems, advice, repaired };
  }

  async #load(): Promise<DesiredState> {
    const memory = await this.#recollection.load();
    this.#desired ??= new DesiredState(this.#rules.translation, this.inventory, memory);
    return this.#desired;
  }

  #failuresOf({ failures }: Outcome, observed: Table): Pick<PassStatus, 'failures' | 'refused'> {
    const { refusedBackends } = this.#rules;
    const failed = refusedBackends?.learn(failures, observed) ?? failures;
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

const NOTHING: ReadonlyMap<ServiceKey, never> = new Map<ServiceKey, never>();
const EMPTY_PLAN: Plan = {
  services: [],
  growing: [],
  shrinking: [],
  conflicts: [],
  owned: NOTHING,
  summary: { add: 0, change: 0, remove: 0, keep: 0 },
};

function earliest(...times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}
