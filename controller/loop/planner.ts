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
import { DecisionTable } from '../plan/decision.ts';
import { Diff } from '../plan/diff.ts';
import { type Drains, keepDraining, takenFromTheLiving } from '../plan/drain.ts';
import { createHostOrder, type HostOrder } from '../plan/host-order.ts';
import type { LargeRemoval, NamedEnd } from '../plan/large-removal.ts';
import type { LastRules } from '../plan/last-in-rotation.ts';
import { isLeftOut } from '../plan/nearest.ts';
import { type Owned, type Plan, type PlanDraft, type PlannedService, StepList } from '../plan/plan.ts';
import { NOTHING_KEPT, type Unclaimed } from '../plan/unclaimed.ts';
import { splitWithdrawn, withoutWithdrawn } from '../plan/withdraw.ts';
import { Brake, type BrakeRules } from './brake.ts';
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

  async plan(input: PlanInput): Promise<PlanResult> {
    const { desired, observed, owned, drains, complete, unknown, now, pace } = input;
    const { inPool, saved } = this.#rules;
    const taskAt = this.#taskAt;
    const { rest: compared, withdrawn } = splitWithdrawn(await this.#compare(input), (address) =>
      inPool(address) ? null : this.#ownerOf(address, desired, complete),
    );
    const isNamed = (endpoint: BackendKey, service: ServiceKey) => this.#brake.isNamed(endpoint, service);
    const { apps } = this.#inventory;
    const wereUnknown = saved?.wereUnknown(unknown) === true;
    const isOfKnownApp = (endpoint: BackendKey) => {
      const app = saved?.appAt(endpoint);
      return app !== undefined && (wereUnknown || apps.has(app));
    };
    const known = { observed, desired, taskAt, isNamed, isOfKnownApp };
    const { plan: rest, kept } = this.#unclaimed.keep(compared, known, input);
    const rereadFirst = this.#rereadFirst(rest, observed, taskAt, complete);
    const drained = keepDraining(rest, { observed, taskAt, drains, now });
    const decisions = new DecisionTable();
    // With incomplete sources no drain begins or ends, and deadlines stay. Only services that the kernel lacks altogether are
    // added, as after a reboot: an existing one is newer than the saved state, and another program's is not adopted.
    if (!complete) {
      const missing = drained.plan.services.filter(({ op }) => op === 'add');
      const draft = withoutAdopted(drained.plan);
      const plan = await this.#complete(draft, { withdrawn, applied: missing }, pace);
      decideDrains(decisions, drains);
      return {
        plan,
        held: null,
        kept,
        largeRemoval: null,
        drains,
        deadlines: drains,
        decisions,
        rereadFirst,
      };
    }
    const { nearest } = this.#wanted;
    for (const key of rest.owned.keys()) nearest.askedBefore(key, owned.get(key)?.near);
    const leftOut = isLeftOut(desired);
    // Neither an ejection nor a move to a nearer tier is a removal by a source.
    const decidedHere = (endpoint: BackendKey, service: ServiceKey) =>
      this.#wanted.isEjected(endpoint, service) || (nearest.hasMoved(service) && leftOut(endpoint, service));
    const left = { decidedHere, leftOut };
    const ours = withAdopted(withoutWithdrawn(owned, withdrawn), rest);
    const context = { observed, owned: ours, taskAt, ...left };
    const { plan: draft, held } = this.#brake.hold(drained.plan, context, now);
    const largeRemoval = this.#brake.largeRemoval(draft, context, now);
    const remaining = withoutHeld(drained.drains, held, observed);
    if (held !== null) this.#brake.decide(decisions, now);
    decideKept(decisions, kept, input.unknown);
    decideDrains(decisions, remaining);
    return {
      plan: await this.#complete(draft, { withdrawn, applied: draft.services }, pace),
      held,
      kept,
      largeRemoval,
      drains: remaining,
      deadlines: together(remaining, drained.ended),
      decisions,
      rereadFirst,
    };
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

  /** The owner of a VIP's address. With incomplete sources, only owners that this program depends on count. */
  #ownerOf(address: string, { refused }: Desired, complete: boolean): string | null {
    const taken = this.#rules.taken?.(address) ?? null;
    return taken ?? (complete ? (refused.get(address) ?? null) : null);
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
  #rereadFirst(
    plan: PlanDraft,
    observed: Table,
    taskAt: TaskLookup,
    complete: boolean,
  ): readonly ServiceAddress[] {
    const mayAdopt = (address: string) => complete && this.#rules.inPool(address);
    const blind = plan.services.filter(({ op, address }) => op === 'add' && !mayAdopt(address));
    return [...blind, ...takenFromTheLiving(plan, { observed, taskAt })];
  }
}

/** The plan without ownership of services that it would adopt. */
function withoutAdopted(plan: PlanDraft): PlanDraft {
  const adopted = new Set(plan.services.filter(({ adopted }) => adopted).map(({ key }) => key));
  return { ...plan, owned: new Map([...plan.owned].filter(([key]) => !adopted.has(key))) };
}

function decideDrains(decisions: DecisionTable, drains: Drains): void {
  for (const [service, deadlines] of drains)
    for (const [endpoint, endsAt] of deadlines)
      decisions.add(service, endpoint, { rule: 'draining', endsWhen: 'its connections have ended', endsAt });
}

/**
 * The owned services with those that the plan adopts: what they would lose counts too, as at the migration from dcos-net or
 * when the ledger was lost.
 */
function withAdopted(owned: ReadonlyMap<ServiceKey, Owned>, plan: PlanDraft): ReadonlyMap<ServiceKey, Owned> {
  const adopted = plan.services.filter((service) => service.adopted);
  if (adopted.length === 0) return owned;
  return new Map([...owned, ...adopted.map(({ key }) => [key, plan.owned.get(key) ?? NAMELESS] as const)]);
}

const NAMELESS: Owned = { name: null, framework: null, fqdn: null };

/** The union of both. */
function together(some: Drains, others: Drains): Drains {
  if (others.size === 0) return some;
  const all = new Map(some);
  for (const [key, deadlines] of others) all.set(key, new Map([...(some.get(key) ?? []), ...deadlines]));
  return all;
}

/** Leaves out held backends in rotation, whose drain must not begin before they are released. */
function withoutHeld(drains: Drains, held: HeldRemoval | null, observed: Table): Drains {
  if (held === null || drains.size === 0) return drains;
  const serves = (key: ServiceKey, endpoint: BackendKey) =>
    (observed.get(key)?.backends.get(endpoint)?.weight ?? 0) > 0;
  const left = [...drains].map(([key, deadlines]) => {
    const isHeld = (endpoint: BackendKey) =>
      held.services.has(key) && held.endpoints.has(endpoint) && serves(key, endpoint);
    return [key, new Map([...deadlines].filter(([endpoint]) => !isHeld(endpoint)))] as const;
  });
  return new Map(left.filter(([, deadlines]) => deadlines.size > 0));
}
