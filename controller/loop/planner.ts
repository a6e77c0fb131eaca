import type { Inventory } from '../inventory/inventory.ts';
import { offersAt } from '../inventory/offers.ts';
import type { TaskLookup } from '../inventory/task-index.ts';
import type { Desired } from '../model/desired.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Table } from '../model/kernel.ts';
import type { Service, ServiceAddress, ServiceKey } from '../model/service.ts';
import type { UnknownPart } from '../model/snapshot.ts';
import { eachInSlices, type Pace } from '../pace.ts';
import type { HeldRemoval } from '../pass-status.ts';
import { withAdopted, withoutAdopted } from '../plan/adoption.ts';
import { DecisionTable } from '../plan/decision.ts';
import { Diff } from '../plan/diff.ts';
import {
  type Drained,
  type Drains,
  decideDrains,
  drainsWithoutHeld,
  keepDraining,
  takenFromTheLiving,
  union,
} from '../plan/drain.ts';
import { createHostOrder, type HostOrder } from '../plan/host-order.ts';
import type { LargeRemoval, NamedEnd } from '../plan/large-removal.ts';
import type { LastRules } from '../plan/last-in-rotation.ts';
import { isLeftOut } from '../plan/nearest.ts';
import { type Owned, type Plan, type PlanDraft, type PlannedService, StepList } from '../plan/plan.ts';
import { NOTHING_KEPT, type Unclaimed } from '../plan/unclaimed.ts';
import { splitWithdrawn, withoutWithdrawn } from '../plan/withdraw.ts';
import { Brake, type BrakeRules, type HoldContext } from './brake.ts';
import type { SavedEndpoints } from './saved-endpoints.ts';
import { decideKept, UnclaimedBackends } from './unclaimed-backends.ts';
import type { Wanted } from './wanted.ts';

/** What decides which differences a plan may remove. */
export interface PlanRules {
  /** Whether an address lies in a pool of named VIPs. */
  readonly inPool: (address: string) => boolean;
  readonly adopt: boolean;
  /** Why this program depends on an address (of a source or a name server); null when it does not. */
  readonly taken?: (address: string) => string | null;
  /** The endpoints in the saved states of sources; absent when nothing is saved. */
  readonly saved?: Pick<SavedEndpoints, 'appAt' | 'wereUnknown'> | undefined;
  /** A text unique to this host, which decides the order in which backends are added. When missing, by their endpoints. */
  readonly hostId?: string;
  /** The mass-removal brake; null when it is off. */
  readonly brake: BrakeRules | null;
}

/** The facts that one plan is made from. */
export interface PlanInput {
  /** The services to compare: those that may differ from the kernel. */
  readonly keys: Iterable<ServiceKey>;
  readonly desired: Desired;
  readonly observed: Table;
  /** The owned services in `observed`, and their draining backends. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  readonly drains: Drains;
  /** Whether every source has been read completely since the start. */
  readonly complete: boolean;
  /** What of the sources is unknown. */
  readonly unknown: readonly UnknownPart[];
  readonly now: number;
  /** The pace of the pass. */
  readonly pace: Pace;
}

/** A plan, with what it leaves for later and why. */
export interface PlanResult {
  readonly plan: Plan;
  readonly drains: Drains;
  /** The deadlines for the ledger: those of `drains`, and of backends whose drain is over until they are removed. */
  readonly deadlines: Drains;
  readonly held: HeldRemoval | null;
  /** What stays because it may belong to an unknown part of a source. */
  readonly kept: Unclaimed;
  /** A large removal that is not held, and why not; null when there is none. */
  readonly largeRemoval: LargeRemoval | null;
  /** Why backends stay, or are removed later. */
  readonly decisions: DecisionTable;
  /** Services to read again before the plan may be applied: it relied on their known state. */
  readonly rereadFirst: readonly ServiceAddress[];
}

/** What the stages of a plan before the mass-removal brake found. */
interface Stages extends Pick<PlanResult, 'kept' | 'rereadFirst'> {
  /** Removals of services whose address belongs to someone. */
  readonly withdrawn: readonly PlannedService[];
  /** The rest of the plan, with drains in place of removals. */
  readonly drained: Drained;
}

/** The result before the first plan. */
export function nothingPlanned(): PlanResult {
  return {
    plan: new StepList().complete({ keys: new Set(), services: [], conflicts: [], owned: new Map() }),
    drains: new Map(),
    deadlines: new Map(),
    held: null,
    kept: NOTHING_KEPT,
    largeRemoval: null,
    decisions: new DecisionTable(),
    rereadFirst: [],
  };
}

/** Plans a pass: the difference between desired and kernel, without what must drain first and what is held. */
export class Planner {
  readonly #rules: PlanRules;
  readonly #order: HostOrder | undefined;
  readonly #brake: Brake;
  readonly #unclaimed = new UnclaimedBackends();
  readonly #inventory: Inventory;
  readonly #taskAt: TaskLookup;
  readonly #wanted: Pick<Wanted, 'isEjected' | 'nearest'>;

  constructor(rules: PlanRules, inventory: Inventory, wanted: Pick<Wanted, 'isEjected' | 'nearest'>) {
    this.#rules = rules;
    this.#inventory = inventory;
    this.#wanted = wanted;
    this.#taskAt = (endpoint) => inventory.tasks.taskAt(endpoint);
    this.#order = rules.hostId === undefined ? undefined : createHostOrder(rules.hostId);
    this.#brake = new Brake(rules.brake);
  }

  /** Compares, and takes out stage by stage what must wait. */
  async plan(input: PlanInput): Promise<PlanResult> {
    const { observed, drains, now } = input;
    const { rest: ours, withdrawn } = this.#splitWithdrawn(await this.#compare(input), input);
    const { plan: claimed, kept } = this.#keepUnclaimed(ours, input);
    const rereadFirst = this.#rereadFirst(claimed, input);
    const drained = keepDraining(claimed, { observed, taskAt: this.#taskAt, drains, now });
    const stages = { withdrawn, kept, rereadFirst, drained };
    return input.complete ? await this.#holdMasses(stages, input) : await this.#addMissing(stages, input);
  }

  /** The withdrawn services, and the rest. With incomplete sources, only owners that this program depends on count. */
  #splitWithdrawn(compared: PlanDraft, { desired, complete }: PlanInput): ReturnType<typeof splitWithdrawn> {
    const { inPool, taken } = this.#rules;
    return splitWithdrawn(compared, (address) => {
      if (inPool(address)) return null;
      return taken?.(address) ?? (complete ? (desired.refused.get(address) ?? null) : null);
    });
  }

  /** The plan without removals of what may belong to an unknown part of a source. */
  #keepUnclaimed(plan: PlanDraft, input: PlanInput): ReturnType<UnclaimedBackends['keep']> {
    const { saved } = this.#rules;
    const { apps } = this.#inventory;
    const wereUnknown = saved?.wereUnknown(input.unknown) === true;
    const isOfKnownApp = (endpoint: BackendKey) => {
      const app = saved?.appAt(endpoint);
      return app !== undefined && (wereUnknown || apps.has(app));
    };
    const isNamed = (endpoint: BackendKey, service: ServiceKey) => this.#brake.isNamed(endpoint, service);
    const { observed, desired } = input;
    const context = { observed, desired, taskAt: this.#taskAt, isNamed, isOfKnownApp };
    return this.#unclaimed.keep(plan, context, input);
  }

  /**
   * The plan with incomplete sources: no drain begins or ends, and deadlines stay. Only services that the kernel lacks altogether
   * are added, as after a reboot: an existing one is newer than the saved state, and another program's is not adopted.
   */
  async #addMissing({ drained, ...stages }: Stages, { drains, pace }: PlanInput): Promise<PlanResult> {
    const missing = drained.plan.services.filter(({ op }) => op === 'add');
    const plan = await this.#complete(withoutAdopted(drained.plan), { ...stages, applied: missing }, pace);
    const decisions = new DecisionTable();
    decideDrains(decisions, drains);
    const { kept, rereadFirst } = stages;
    return { plan, held: null, kept, largeRemoval: null, drains, deadlines: drains, decisions, rereadFirst };
  }

  /** The plan with complete sources: everything except mass removals, which are held. */
  async #holdMasses({ drained, ...stages }: Stages, input: PlanInput): Promise<PlanResult> {
    const { observed, owned, now, pace, unknown } = input;
    const { withdrawn, kept, rereadFirst } = stages;
    for (const key of drained.plan.owned.keys()) this.#wanted.nearest.askedBefore(key, owned.get(key)?.near);
    const context = this.#holdContext(drained.plan, withdrawn, input);
    const { plan: draft, held } = this.#brake.hold(drained.plan, context, now);
    const largeRemoval = this.#brake.largeRemoval(draft, context, now);
    const drains = drainsWithoutHeld(drained.drains, held, observed);
    const decisions = new DecisionTable();
    if (held !== null) this.#brake.decide(decisions, now);
    decideKept(decisions, kept, unknown);
    decideDrains(decisions, drains);
    return {
      plan: await this.#complete(draft, { withdrawn, applied: draft.services }, pace),
      held,
      kept,
      largeRemoval,
      drains,
      deadlines: union(drains, drained.ended),
      decisions,
      rereadFirst,
    };
  }

  /** What the brake counts as a loss, and of what. Neither an ejection nor a move to a nearer tier is a removal by a source. */
  #holdContext(
    plan: PlanDraft,
    withdrawn: readonly PlannedService[],
    { desired, observed, owned }: PlanInput,
  ): HoldContext {
    const { nearest } = this.#wanted;
    const leftOut = isLeftOut(desired);
    const decidedHere = (endpoint: BackendKey, service: ServiceKey) =>
      this.#wanted.isEjected(endpoint, service) || (nearest.hasMoved(service) && leftOut(endpoint, service));
    const ours = withAdopted(withoutWithdrawn(owned, withdrawn), plan);
    return { observed, owned: ours, taskAt: this.#taskAt, decidedHere, leftOut };
  }

  async #compare({ keys, desired, observed, owned, complete, pace }: PlanInput): Promise<PlanDraft> {
    const { inPool, adopt } = this.#rules;
    // With incomplete sources nothing is left out, so the ledger must not say that it was.
    const asksNear = complete ? (service: Service) => this.#wanted.nearest.asked(service) : undefined;
    const diff = new Diff({ desired, observed, owned, inPool, adopt, asksNear });
    await eachInSlices(keys, (key) => diff.add(key), pace);
    return diff.draft();
  }

  /** Adds the withdrawn services, whose removals come first, and the steps of these and of the `applied` ones. */
  async #complete(
    draft: PlanDraft,
    { withdrawn, applied }: Readonly<Record<'withdrawn' | 'applied', readonly PlannedService[]>>,
    pace: Pace,
  ): Promise<Plan> {
    const steps = new StepList(this.#order);
    await eachInSlices([...withdrawn, ...applied], (service) => steps.add(service), pace);
    return steps.complete({ ...draft, services: [...draft.services, ...withdrawn] });
  }

  /** What `withoutLastInRotation` needs to know about tasks. */
  lastRules(): Pick<LastRules, 'named' | 'lives'> {
    return {
      named: (endpoint, service) => this.#brake.isNamed(endpoint, service),
      lives: (endpoint) => this.#taskAt(endpoint)?.drainSeconds != null,
    };
  }

  /**
   * Starts a pass. `gone`: the tasks that sources named as ended, or as no longer serving a VIP; their removal is never held.
   */
  begin(gone: Iterable<NamedEnd>, now: number): void {
    this.#unclaimed.begin();
    this.#brake.begin(gone, now);
  }

  /** Backends that have been held for long enough to read the sources again. */
  due(now: number): ReadonlySet<BackendKey> {
    return this.#brake.due(now);
  }

  /**
   * Takes a new read of all sources (`reread`). Backends of `due` whose removal it confirms are not held any more: those that
   * still do not serve, or that still declare the same VIPs at the same place. The others are held again, as are all when the
   * place of this host has changed. Returns the number of confirmed ones.
   */
  confirm(due: ReadonlySet<BackendKey>, reread: Inventory, now: number): number {
    const before = offersAt(due, this.#inventory.tasks);
    const after = offersAt(due, reread.tasks);
    // A part that cannot be read does not show that a task is gone.
    const isWhole = reread.unknown.length === 0;
    const same = (endpoint: BackendKey) => {
      const offers = after.get(endpoint);
      if (offers !== undefined) return offers === before.get(endpoint);
      return isWhole || reread.tasks.taskAt(endpoint) !== null;
    };
    const confirmed = new Set(this.#wanted.nearest.agree(reread.places) ? [...due].filter(same) : []);
    this.#brake.confirm(due, confirmed, now);
    return confirmed.size;
  }

  /**
   * The services whose current state must be read before the plan is applied: those to add, where another program may have
   * added a service in the meantime that must not be adopted; and those with backends that may have got connections.
   */
  #rereadFirst(plan: PlanDraft, { observed, complete }: PlanInput): readonly ServiceAddress[] {
    const mayAdopt = (address: string) => complete && this.#rules.inPool(address);
    const blind = plan.services.filter(({ op, address }) => op === 'add' && !mayAdopt(address));
    return [...blind, ...takenFromTheLiving(plan, { observed, taskAt: this.#taskAt })];
  }
}
