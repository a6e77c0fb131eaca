import type { Inventory } from '../inventory/inventory.ts';
import { offersAt } from '../inventory/offers.ts';
import type { TaskLookup } from '../inventory/task-index.ts';
import type { BackendKey, Desired, Service, ServiceAddress, ServiceKey, Table } from '../model.ts';
import { eachInSlices, type Pace } from '../pace.ts';
import type { HeldRemoval } from '../pass-status.ts';
import { DecisionTable } from '../plan/decision.ts';
import { Diff } from '../plan/diff.ts';
import { type Drains, keepDraining, takenFromTheLiving } from '../plan/drain.ts';
import { createHostOrder, type HostOrder } from '../plan/host-order.ts';
import type { LastRules } from '../plan/last-in-rotation.ts';
import type { LargeRemoval, NamedEnd } from '../plan/let-go.ts';
import { isLeftOut } from '../plan/nearest.ts';
import { onlyWhatIsMissing } from '../plan/only-missing.ts';
import type { Owned, Plan } from '../plan/plan.ts';
import { splitWithdrawn, withoutWithdrawn, withWithdrawn } from '../plan/withdraw.ts';
import { Brake, type BrakeRules } from './brake.ts';
import type { Nearest } from './nearness.ts';

export interface PlanRules {
  /** Whether an address lies in a pool of named VIPs. */
  readonly inPool: (address: string) => boolean;
  readonly adopt: boolean;
  /** Why an address is one that this program itself depends on (a source's, a name server's); null when it is not. */
  readonly taken?: (address: string) => string | null;
  /** What tells this host from all others and decides in which order backends are added; when missing, as they are declared. */
  readonly hostId?: string;
  /** When too much would go at once; null: it goes. */
  readonly brake: BrakeRules | null;
}

export interface PlanInput {
  /** The services to look at: those that may be other than desired. */
  readonly keys: Iterable<ServiceKey>;
  readonly desired: Desired;
  readonly observed: Table;
  /** What is ours in `observed`, and what of it drains. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  readonly drains: Drains;
  /** Every source has been read completely since the start. */
  readonly complete: boolean;
  /** Whether a backend leaves a VIP's rotation because it does not answer this host. */
  readonly isEjected: (endpoint: BackendKey, service: ServiceKey) => boolean;
  readonly now: number;
  /** Of the pass. */
  readonly pace: Pace;
}

export interface PlanResult {
  readonly plan: Plan;
  readonly drains: Drains;
  /** What the ledger keeps: those of `drains`, and of backends that drained for long enough until they are gone. */
  readonly deadlines: Drains;
  readonly held: HeldRemoval | null;
  /** A large removal that is not held, with why; null: none. */
  readonly letGo: LargeRemoval | null;
  /** Why backends stay, or go later. */
  readonly decisions: DecisionTable;
  /** Of these services it must be known how they are now; this plan was made on what was known. */
  readonly rereadFirst: readonly ServiceAddress[];
}

type PlannedNearness = Pick<Nearest, 'agree' | 'asked' | 'askedBefore' | 'hasMoved'>;

/** Decides what a pass is to do: the difference, without what has to drain first and what is held. */
export class Planner {
  readonly #rules: PlanRules;
  readonly #order: HostOrder | undefined;
  readonly #brake: Brake;
  readonly #inventory: Inventory;
  readonly #taskAt: TaskLookup;
  readonly #nearest: PlannedNearness;

  constructor(rules: PlanRules, inventory: Inventory, nearest: PlannedNearness) {
    this.#rules = rules;
    this.#inventory = inventory;
    this.#nearest = nearest;
    this.#taskAt = (endpoint) => inventory.tasks.taskAt(endpoint);
    this.#order = rules.hostId === undefined ? undefined : createHostOrder(rules.hostId);
    this.#brake = new Brake(rules.brake);
  }

  async plan(input: PlanInput): Promise<PlanResult> {
    const { desired, observed, owned, drains, complete, isEjected, now } = input;
    const { inPool } = this.#rules;
    const taskAt = this.#taskAt;
    const { rest, withdrawn } = splitWithdrawn(await this.#compare(input), (address) =>
      inPool(address) ? null : this.#ownerOf(address, desired, complete),
    );
    const rereadFirst = this.#rereadFirst(rest, observed, taskAt, complete);
    const drained = keepDraining(rest, { observed, taskAt, drains, now });
    const decisions = new DecisionTable();
    // Nothing begins or ends to drain on a part of the truth: what drains keeps its deadline.
    if (!complete) {
      const plan = withWithdrawn(onlyWhatIsMissing(drained.plan), withdrawn);
      decideDrains(decisions, drains);
      return { plan, held: null, letGo: null, drains, deadlines: drains, decisions, rereadFirst };
    }
    for (const key of rest.owned.keys()) this.#nearest.askedBefore(key, owned.get(key)?.near);
    const leftOut = isLeftOut(desired);
    // Neither is a removal by a source.
    const decidedHere = (endpoint: BackendKey, service: ServiceKey) =>
      isEjected(endpoint, service) || (this.#nearest.hasMoved(service) && leftOut(endpoint, service));
    const left = { decidedHere, leftOut };
    const context = { observed, owned: withoutWithdrawn(owned, withdrawn), taskAt, ...left };
    const { plan, held } = this.#brake.hold(drained.plan, context, now);
    const letGo = this.#brake.letGo(plan, context, now);
    const remaining = withoutHeld(drained.drains, held, observed);
    if (held !== null) this.#brake.decide(decisions, now);
    decideDrains(decisions, remaining);
    return {
      plan: withWithdrawn(plan, withdrawn),
      held,
      letGo,
      drains: remaining,
      deadlines: together(remaining, drained.ended),
      decisions,
      rereadFirst,
    };
  }

  async #compare({ keys, desired, observed, owned, complete, pace }: PlanInput): Promise<Plan> {
    const { inPool, adopt } = this.#rules;
    // On a part of the truth nothing is left out yet, so what is asked for is not done yet.
    const asksNear = complete ? (service: Service) => this.#nearest.asked(service) : undefined;
    const diff = new Diff({ desired, observed, owned, inPool, adopt, asksNear, order: this.#order });
    await eachInSlices(keys, (key) => diff.add(key), pace);
    return diff.plan();
  }

  /** On the word of our own disk alone, only what this program depends on is a reason to take a VIP away. */
  #ownerOf(address: string, { refused }: Desired, complete: boolean): string | null {
    const taken = this.#rules.taken?.(address) ?? null;
    return taken ?? (complete ? (refused?.get(address) ?? null) : null);
  }

  /** By which it is decided what of a plan that takes away is kept for a while. */
  keeping(): Pick<LastRules, 'named' | 'lives'> {
    return {
      named: (endpoint, service) => this.#brake.isNamed(endpoint, service),
      lives: (endpoint) => this.#taskAt(endpoint)?.drainSeconds != null,
    };
  }

  /**
   * A pass begins. The sources said by name that the tasks at these endpoints ended, or serve a VIP no more: that is never
   * held.
   */
  begin(gone: Iterable<NamedEnd>, now: number): void {
    this.#brake.begin(gone, now);
  }

  /** Backends that have been held for long enough to ask the sources once more. */
  due(now: number): ReadonlySet<BackendKey> {
    return this.#brake.due(now);
  }

  /**
   * All sources were read anew. What of `due` still does not serve, or still asks for the VIPs of the last pass and no
   * others, and stands where it stood, is not held any more; the rest waits again, and all where this host stands elsewhere.
   * Returns how much of it goes.
   */
  confirm(due: ReadonlySet<BackendKey>, told: Inventory, now: number): number {
    const before = offersAt(due, this.#inventory.tasks);
    const after = offersAt(due, told.tasks);
    const same = (endpoint: BackendKey) => {
      const offers = after.get(endpoint);
      return offers === undefined || offers === before.get(endpoint);
    };
    const confirmed = new Set(this.#nearest.agree(told.places) ? [...due].filter(same) : []);
    this.#brake.confirm(due, confirmed, now);
    return confirmed.size;
  }

  /**
   * Another program may have made a service since the table was read: outside the pools, and on the word of our own
   * disk anywhere, it must not be written into. And connections may have come to a backend.
   */
  #rereadFirst(
    plan: Plan,
    observed: Table,
    taskAt: TaskLookup,
    complete: boolean,
  ): readonly ServiceAddress[] {
    const mayAdopt = (address: string) => complete && this.#rules.inPool(address);
    const blind = plan.services.filter(({ op, address }) => op === 'add' && !mayAdopt(address));
    return [...blind, ...takenFromTheLiving(plan, { observed, taskAt })];
  }
}

function decideDrains(decisions: DecisionTable, drains: Drains): void {
  for (const [service, deadlines] of drains)
    for (const [endpoint, endsAt] of deadlines)
      decisions.add(service, endpoint, { rule: 'draining', endsWhen: 'its connections have ended', endsAt });
}

/** The deadlines of both. */
function together(some: Drains, others: Drains): Drains {
  if (others.size === 0) return some;
  const all = new Map(some);
  for (const [key, deadlines] of others) all.set(key, new Map([...(some.get(key) ?? []), ...deadlines]));
  return all;
}

/** What is held in rotation does not drain: its time would run out before it is let go. */
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
