import type { DesiredState } from '../desired/desired-state.ts';
import type { Ejections } from '../ejection.ts';
import { messageOf } from '../errors.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Desired, ObservedService, ServiceKey } from '../model.ts';
import { eachInSlices, inSlices, Pace } from '../pace.ts';
import type { PassStatus } from '../pass-status.ts';
import { DecisionTable } from '../plan/decision.ts';
import { type Drift, drift } from '../plan/drift.ts';
import { ejectionDecisions, isEjected, servicesWith, withEjections } from '../plan/ejected.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import type { NamedEnd } from '../plan/let-go.ts';
import type { Plan } from '../plan/plan.ts';
import { slowStartDecisions } from '../plan/slow-start.ts';
import type { Clock, EjectionFacts } from '../ports.ts';
import type { KeptTable } from './kept-table.ts';
import type { NameStore } from './name-store.ts';
import { nothingYet, type Outcome } from './outcome.ts';
import type { PlanResult } from './planner.ts';

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

/** What passes share. */
export interface PassParts {
  readonly inventory: Pick<Inventory, 'settle'>;
  readonly desired: Desired;
  /** How `desired` is brought up to date with the inventory. */
  readonly translation: Pick<DesiredState, 'begin' | 'work' | 'takeTouched' | 'commit'>;
  /** Why the ledger cannot be read: nothing may be written then; null where it can. */
  readonly unread: Error | null;
  readonly table: KeptTable;
  readonly nameStore: Pick<NameStore, 'keep'>;
  /** Which backends do not answer; undefined where nobody watches. */
  readonly ejections: EjectionFacts | undefined;
  readonly clock: Clock;
  readonly dryRun: boolean;
}

/** What still changes after so many is for the next pass. */
const HELD_TRIES = 3;

/**
 * One pass: sources -> desired -> plan -> apply -> status. It looks at the services that may not be in the kernel as
 * desired, and at no others.
 *
 * A pass never rejects: what went wrong is in its status, and the next pass reads the kernel again and looks at all
 * services.
 */
export class Pass {
  readonly #request: PassRequest;
  readonly #parts: PassParts;
  readonly #table: KeptTable;
  readonly #startedAt: number;
  readonly #pace = new Pace();
  readonly #isFull: boolean;
  readonly #drift: Drift[] = [];
  readonly #outcome: Outcome = nothingYet();
  /** As they were when the pass began. */
  readonly #ejections: Ejections;
  /** What the sources want, with weight 0 for what is ejected. */
  readonly #answering: Desired;
  /** The same, with the nearest backends alone where a VIP asks for that. */
  readonly #near: Desired;
  /** The same, with the weights that backends have while they grow. */
  readonly #wanted: Desired;
  #result = NOTHING_PLANNED;

  /** `startedAt`: on the monotonic clock. */
  constructor(request: PassRequest, parts: PassParts, startedAt: number) {
    this.#request = request;
    this.#parts = parts;
    this.#table = parts.table;
    this.#startedAt = startedAt;
    const { view, nearest, slowStarts } = parts.table;
    this.#isFull = request.full || !view.isKnown;
    const { ejections, desired } = parts;
    this.#ejections = new Map(ejections?.ejections);
    this.#answering = this.#ejections.size === 0 ? desired : withEjections(desired, this.#ejections);
    this.#near = nearest.of(this.#answering);
    this.#wanted = slowStarts.weigh(this.#near);
  }

  async run(): Promise<PassStatus> {
    const { carryOver, view, slowStarts } = this.#table;
    const { inventory, unread, dryRun } = this.#parts;
    carryOver.setComplete(this.#request.complete);
    let error: string | null = null;
    // Once: what sources say from now on is for the next pass.
    await inSlices((pause) => inventory.settle(pause), this.#pace);
    await this.#updateDesired();
    const changed = this.#parts.ejections?.takeChanged() ?? new Set();
    this.#markDue(new Set(servicesWith(this.#parts.desired.services, changed)));
    carryOver.markDue(slowStarts.due(view.table, this.#startedAt));
    try {
      if (unread !== null) throw unread;
      const isFresh = await this.#readKernel();
      await this.#planFresh(isFresh);
      await this.#rememberNames();
      if (!dryRun) await this.#apply();
      await this.#settle();
    } catch (cause) {
      error = messageOf(cause);
      view.forget();
      carryOver.markAllDue();
    }
    return this.#status(error);
  }

  /** Sources -> desired. */
  async #updateDesired(): Promise<void> {
    const { applier, carryOver } = this.#table;
    const { translation } = this.#parts;
    const { complete } = this.#request;
    const lacking = applier.lacking(this.#startedAt);
    translation.begin({ complete, heldNames: carryOver.heldNames, lacking });
    await inSlices((pause) => translation.work(pause), this.#pace);
    this.#markDue(translation.takeTouched());
  }

  /** These services may be others now, and so may those that move to another tier because of it, or because a wait is over. */
  #markDue(keys: ReadonlySet<ServiceKey>): void {
    const { carryOver, nearest } = this.#table;
    carryOver.markDue(keys);
    carryOver.markDue(nearest.look(this.#answering.services, keys, this.#startedAt));
  }

  /** Resolves with whether the view is what the kernel has at this moment. */
  async #readKernel(): Promise<boolean> {
    const { view, book, carryOver } = this.#table;
    if (carryOver.takeDrainLook(this.#startedAt))
      view.markStale([...book.drains.keys()].flatMap((key) => view.table.get(key) ?? []));
    const isFresh = this.#isFull && (await view.readAll());
    if (!this.#isFull) await view.reread([]);
    await book.load(view.table);
    return isFresh;
  }

  /** Desired -> plan, on what is certain: where the plan depends on it, the kernel is read again first. */
  async #planFresh(isFresh: boolean): Promise<void> {
    const { view, carryOver } = this.#table;
    await this.#plan();
    if (!isFresh && this.#result.rereadFirst.length > 0) {
      await view.reread(this.#result.rereadFirst);
      await this.#plan();
    }
    // An IP VIP may have been given the address of a name that seemed to be nobody's, or refused that of a name whose VIP
    // is held no more. Either changes what is desired, and that perhaps what is held.
    for (let tries = 0; tries < HELD_TRIES && carryOver.setHeld(this.#result.plan); tries += 1) {
      await this.#updateDesired();
      await this.#plan();
    }
  }

  async #plan(): Promise<void> {
    const { view, book, planner, carryOver, slowStarts } = this.#table;
    const [now, pace] = [this.#startedAt, this.#pace];
    this.#drift.push(...this.#takeDifferences());
    const { owned, drains } = book;
    const { complete } = this.#request;
    const facts = { desired: this.#wanted, observed: view.table, owned, drains, complete };
    const input = { ...facts, isEjected: isEjected(this.#parts.desired, this.#ejections), now, pace };
    await slowStarts.advance(carryOver.dueOf(input), this.#near, view.table, now, pace);
    this.#result = await planner.plan({ ...input, keys: carryOver.dueOf(input) });
  }

  async #rememberNames(): Promise<void> {
    const { desired, translation, nameStore } = this.#parts;
    await this.#pace.restIfDue();
    translation.commit();
    await this.#pace.restIfDue();
    nameStore.keep(desired.memory);
    await this.#pace.restIfDue();
  }

  /** Plan -> kernel, what is ours being in the ledger first. */
  async #apply(): Promise<void> {
    const { view, book, planner, applier, carryOver } = this.#table;
    const [now, pace] = [this.#startedAt, this.#pace];
    await book.record(this.#result.plan, this.#result.deadlines);
    while (await applier.applyServices(this.#result.plan, this.#outcome, { now, pace })) {
      await this.#updateDesired();
      await this.#plan();
    }
    carryOver.setDraining(this.#result.drains.size > 0, now);
    const { plan, decisions } = this.#result;
    const kept = { ...planner.keeping(), desired: this.#wanted };
    const request = { ...kept, plan, decisions, full: this.#isFull, now, pace };
    await applier.apply(request, this.#outcome);
    await book.forget(view.table, plan);
  }

  async #settle(): Promise<void> {
    const { view, applier, shortfalls, carryOver } = this.#table;
    const { dryRun } = this.#parts;
    view.markStale(this.#outcome.failures.map(({ step }) => step.service));
    const refused = new Set(applier.refused.map(({ address }) => address));
    const { plan } = this.#result;
    const look = shortfalls.looker({ desired: this.#wanted, plan, observed: view.table, refused });
    await eachInSlices(plan.keys, look, this.#pace);
    carryOver.settle(this.#result, this.#outcome, dryRun);
  }

  /** What of it someone else did to our services. */
  #takeDifferences(): readonly Drift[] {
    const { view, book, carryOver } = this.#table;
    const { dryRun } = this.#parts;
    const differences = view.takeDifferences();
    carryOver.markDue(differences.keys());
    if (dryRun) return [];
    const was = new Map<ServiceKey, ObservedService>();
    for (const [key, difference] of differences)
      if (difference.was !== undefined && !difference.ours) was.set(key, difference.was);
    const ours = new Map([...was].filter(([key]) => book.owned.has(key)));
    return drift(was, view.table, ours);
  }

  #status(error: string | null): PassStatus {
    const { view, book, applier, shortfalls, nearest, slowStarts } = this.#table;
    const { desired, clock, dryRun } = this.#parts;
    const { failures, made, untried, reached, unanswered } = this.#outcome;
    const { plan, drains, held, letGo, decisions } = this.#result;
    decisions.addAll(ejectionDecisions(plan.keys, desired, this.#ejections));
    decisions.addAll(nearest.decisions(plan.keys));
    decisions.addAll(slowStartDecisions(plan.keys, slowStarts.all));
    return {
      startedAt: this.#startedAt,
      finishedAt: clock.monotonic(),
      kind: this.#isFull ? 'full' : 'changes',
      changesSince: this.#request.changesSince,
      desired: this.#wanted,
      plan: withUntouchedCounted(plan, desired),
      observed: view.table,
      owned: book.owned,
      drains,
      held,
      decisions: decisions.all,
      slowStarts: slowStarts.backends,
      letGo: dryRun ? null : letGo,
      shortfall: shortfalls.all,
      failures: failures.map(({ step, error }) => ({ step: formatStep(step), message: messageOf(error) })),
      refused: applier.refused,
      made,
      waiting: untried.length,
      drift: this.#drift,
      repaired: reached.changed,
      problems: reached.problems,
      advice: [...reached.advice, ...unanswered, ...book.advice],
      error,
    };
  }
}

const NOTHING_PLANNED: PlanResult = {
  plan: {
    keys: new Set(),
    services: [],
    growing: [],
    shrinking: [],
    conflicts: [],
    owned: new Map(),
    summary: { add: 0, change: 0, remove: 0, keep: 0 },
  },
  drains: new Map(),
  deadlines: new Map(),
  held: null,
  letGo: null,
  decisions: new DecisionTable(),
  rereadFirst: [],
};

/** The services that a plan did not look at are in the kernel as desired. */
function withUntouchedCounted(plan: Plan, { services }: Pick<Desired, 'services'>): Plan {
  let looked = 0;
  for (const key of plan.keys) if (services.has(key)) looked += 1;
  const keep = plan.summary.keep + services.size - looked;
  return { ...plan, summary: { ...plan.summary, keep } };
}
