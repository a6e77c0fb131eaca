import type { DesiredState } from '../desired/desired-state.ts';
import { messageOf } from '../errors.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Desired } from '../model/desired.ts';
import type { Ejections } from '../model/ejection.ts';
import type { ObservedService } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { UnknownPart } from '../model/snapshot.ts';
import { eachInSlices, inSlices, Pace } from '../pace.ts';
import type { PassStatus } from '../pass-status.ts';
import { type Drift, drift } from '../plan/drift.ts';
import { servicesWith } from '../plan/ejected.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import type { NamedEnd } from '../plan/large-removal.ts';
import type { Plan } from '../plan/plan.ts';
import type { Clock, EjectionFacts } from '../ports.ts';
import type { ManagedTable } from './managed-table.ts';
import type { NameStore } from './name-store.ts';
import { nothingYet, type Outcome } from './outcome.ts';
import { nothingPlanned } from './planner.ts';

/** What a pass is to do, and why it was started. */
export interface PassRequest {
  /** Read the kernel's whole table first, instead of relying on its known state. */
  readonly full: boolean;
  /**
   * Whether every source has been read completely since the start. Otherwise (the last good state of one comes from disk)
   * nothing may be removed.
   */
  readonly complete: boolean;
  /** When the source reported each change that this pass brings into the kernel. */
  readonly changesSince: readonly number[];
  /** Tasks that a source named as ended, or as no longer serving a VIP. */
  readonly gone: Iterable<NamedEnd>;
}

/** What all passes over a table share. */
export interface PassParts {
  readonly inventory: Pick<Inventory, 'settle' | 'unknown'>;
  readonly desired: Desired;
  /** Updates `desired` from the inventory. */
  readonly translation: Pick<DesiredState, 'begin' | 'work' | 'takeTouched' | 'commit'>;
  /** Why the ledger cannot be read, in which case nothing may be written; null when it can. */
  readonly unread: Error | null;
  readonly table: ManagedTable;
  readonly nameStore: Pick<NameStore, 'keep'>;
  /** The ejected backends; undefined without ejection. */
  readonly ejections: EjectionFacts | undefined;
  readonly clock: Clock;
  readonly dryRun: boolean;
}

/** After so many rounds, further changes are left to the next pass. */
const MAX_HELD_TRIES = 3;

/**
 * One pass over a kernel table: sources -> desired -> plan -> apply -> status.
 *
 * 1. Update the desired state from the inventory, and collect the services that may differ from the kernel (`carryOver`).
 * 2. Read the kernel: all of it in a full pass, else only services whose known state may be wrong.
 * 3. Plan those services: compare, drain, hold mass removals. Read again first what the plan must not guess.
 * 4. Apply: record in the ledger, write additions, make addresses reachable, publish names, write removals.
 * 5. Report the result, and carry over what is not as desired to the next pass.
 *
 * A later step may invalidate an earlier one: the kernel lacks a scheduler, or held VIPs keep their addresses. Then the pass
 * returns to the desired state and plans again.
 *
 * A pass never rejects: an error is in its status, and the next pass reads the whole kernel again and compares all services.
 */
export class Pass {
  readonly #request: PassRequest;
  readonly #parts: PassParts;
  /** What all passes share: `view` (the kernel's table as known), `book` (the ledger), `carryOver` (what the last one left). */
  readonly #table: ManagedTable;
  /** The moment that the whole pass decides for: when it began, in milliseconds of the monotonic clock. */
  readonly #now: number;
  /** Yields to the event loop between the parts of long work. */
  readonly #pace = new Pace();
  readonly #isFull: boolean;
  /** Unknown parts of sources, from before changes are taken: the next pass uses what is read meanwhile. */
  readonly #unknown: readonly UnknownPart[];
  /** The ejections at the start of the pass, without those that its changes end. */
  #ejections: Ejections = new Map();
  /** What the kernel should have: what the sources want, after ejections, nearness and slow start. */
  readonly #desired: Desired;
  #result = nothingPlanned();
  #drift: readonly Drift[] = [];
  readonly #outcome: Outcome = nothingYet();

  constructor(request: PassRequest, parts: PassParts, now: number) {
    this.#request = request;
    this.#parts = parts;
    this.#table = parts.table;
    this.#now = now;
    const { view, wanted } = parts.table;
    this.#isFull = request.full || !view.isKnown;
    this.#unknown = parts.inventory.unknown;
    this.#desired = wanted.of(parts.desired);
  }

  async run(): Promise<PassStatus> {
    let error: string | null = null;
    await this.#takeChanges();
    try {
      if (this.#parts.unread !== null) throw this.#parts.unread;
      const isFresh = await this.#readKernel();
      await this.#planOnFreshData(isFresh);
      await this.#rememberNames();
      if (!this.#parts.dryRun) await this.#apply();
      await this.#settle();
    } catch (cause) {
      error = messageOf(cause);
      this.#table.view.forget();
      this.#table.carryOver.markAllDue();
    }
    return this.#status(error);
  }

  // ---- 1. sources -> desired ----------------------------------------------------------------------------

  /** Takes what changed since the last pass. What sources report from now on is for the next one. */
  async #takeChanges(): Promise<void> {
    const { carryOver, wanted, view } = this.#table;
    const { inventory, desired, ejections } = this.#parts;
    carryOver.setComplete(this.#request.complete);
    await inSlices((pause) => inventory.settle(pause), this.#pace);
    const due = wanted.due(view.table, this.#now);
    const touched = await this.#translate();
    const changed = ejections?.takeChanged() ?? new Set();
    this.#ejections = new Map(ejections?.ejections);
    const ejected = new Set(servicesWith(desired.services, changed));
    await this.#updateWanted(touched.union(due).union(ejected));
  }

  async #updateDesired(): Promise<void> {
    await this.#updateWanted(await this.#translate());
  }

  /** Updates what the sources want. Returns the services that this touches. */
  async #translate(): Promise<ReadonlySet<ServiceKey>> {
    const { applier, carryOver } = this.#table;
    const { translation } = this.#parts;
    const { complete } = this.#request;
    translation.begin({ complete, heldNames: carryOver.heldNames, lacking: applier.lacking(this.#now) });
    await inSlices((pause) => translation.work(pause), this.#pace);
    return translation.takeTouched();
  }

  async #updateWanted(keys: ReadonlySet<ServiceKey>): Promise<void> {
    const { carryOver, wanted } = this.#table;
    carryOver.markDue(keys);
    await wanted.update(keys, this.#parts.desired, this.#ejections, this.#now, this.#pace);
  }

  // ---- 2. kernel -> view --------------------------------------------------------------------------------

  /** Resolves with whether the whole table was read just now. */
  async #readKernel(): Promise<boolean> {
    const { view, book, carryOver } = this.#table;
    if (carryOver.takeDrainCheck(this.#now))
      view.markStale([...book.drains.keys()].flatMap((key) => view.table.get(key) ?? []));
    const isFresh = this.#isFull && (await view.readAll());
    if (!this.#isFull) await view.reread([]);
    await book.load(view.table);
    return isFresh;
  }

  /** Takes the differences that reads of the kernel found, and records those that someone else made in owned services. */
  #takeDifferences(): void {
    const { view, book, carryOver } = this.#table;
    const differences = view.takeDifferences();
    carryOver.markDue(differences.keys());
    if (this.#parts.dryRun) return;
    const before = new Map<ServiceKey, ObservedService>();
    for (const [key, { was, ours }] of differences) if (was !== undefined && !ours) before.set(key, was);
    this.#drift = [...this.#drift, ...drift(before, view.table, book.owned)];
  }

  // ---- 3. desired and view -> plan ----------------------------------------------------------------------

  /** Plans. Reads those services again whose known state the plan must not rely on, then plans again. */
  async #planOnFreshData(isFresh: boolean): Promise<void> {
    const { view, carryOver } = this.#table;
    await this.#plan();
    if (!isFresh && this.#result.rereadFirst.length > 0) {
      await view.reread(this.#result.rereadFirst);
      await this.#plan();
    }
    // The names of held VIPs keep their addresses, so a change of what is held changes which addresses IP VIPs may have,
    // and that may change what is held.
    for (let tries = 0; tries < MAX_HELD_TRIES && carryOver.setHeld(this.#result.plan); tries += 1) {
      await this.#updateDesired();
      await this.#plan();
    }
  }

  async #plan(): Promise<void> {
    const { view, book, planner, carryOver, wanted } = this.#table;
    const [now, pace] = [this.#now, this.#pace];
    this.#takeDifferences();
    const { owned, drains } = book;
    const { complete } = this.#request;
    const unknown = this.#unknown;
    const facts = { desired: this.#desired, observed: view.table, owned, drains, complete, unknown };
    const input = { ...facts, now, pace };
    await wanted.advance(carryOver.dueOf(input), view.table, now, pace);
    this.#result = await planner.plan({ ...input, keys: carryOver.dueOf(input) });
  }

  /** Accepts the desired state that the plan is made for, and saves its names and labels in the background. */
  async #rememberNames(): Promise<void> {
    const { desired, translation, nameStore } = this.#parts;
    await this.#pace.restIfDue();
    translation.commit();
    await this.#pace.restIfDue();
    nameStore.keep(desired.memory);
    await this.#pace.restIfDue();
  }

  // ---- 4. plan -> kernel --------------------------------------------------------------------------------

  /** New services are recorded in the ledger before they are written, and removed ones are forgotten afterwards. */
  async #apply(): Promise<void> {
    const { view, book, planner, applier, carryOver } = this.#table;
    const [now, pace] = [this.#now, this.#pace];
    await book.record(this.#result.plan, this.#result.deadlines);
    // Services come first: when the kernel lacks a scheduler, the VIPs that declare it are planned again with another one.
    while (await applier.applyServices(this.#result.plan, this.#outcome, { now, pace })) {
      await this.#updateDesired();
      await this.#plan();
    }
    const { plan, decisions, drains } = this.#result;
    carryOver.setDraining(drains.size > 0, now);
    const facts = { ...planner.lastRules(), desired: this.#desired };
    const request = { ...facts, plan, decisions, full: this.#isFull, now, pace };
    await applier.apply(request, this.#outcome);
    await book.forget(view.table, plan);
  }

  // ---- 5. what is left, and the report ------------------------------------------------------------------

  /** Finds the services that are not as desired in the kernel, and leaves them to the next pass. */
  async #settle(): Promise<void> {
    const { view, applier, shortfalls, carryOver } = this.#table;
    view.markStale(this.#outcome.failed.map(({ step }) => step.service));
    const refused = new Set(applier.refused.map(({ address }) => address));
    const { plan } = this.#result;
    const check = shortfalls.checker({ desired: this.#desired, plan, observed: view.table, refused });
    await eachInSlices(plan.keys, check, this.#pace);
    carryOver.settle(this.#result, this.#outcome, this.#parts.dryRun);
  }

  #status(error: string | null): PassStatus {
    const { view, book, applier, shortfalls, wanted } = this.#table;
    const { desired, clock, dryRun } = this.#parts;
    const { failed, applied, postponed, lastInRotation, reached, unanswered } = this.#outcome;
    const { plan, drains, held, kept, largeRemoval, decisions } = this.#result;
    wanted.decide(decisions, plan.keys);
    return {
      startedAt: this.#now,
      finishedAt: clock.monotonic(),
      kind: this.#isFull ? 'full' : 'changes',
      changesSince: this.#request.changesSince,
      desired: this.#desired,
      plan: withUntouchedCounted(plan, desired),
      observed: view.table,
      owned: book.owned,
      drains,
      held,
      ...{ unknown: this.#unknown, kept },
      decisions: decisions.all,
      slowStarts: wanted.growing,
      largeRemoval: dryRun ? null : largeRemoval,
      shortfall: shortfalls.all,
      failures: failed.map(({ step, error }) => ({ step: formatStep(step), message: messageOf(error) })),
      refused: applier.refused,
      made: applied,
      waiting: postponed.length + lastInRotation.length,
      drift: this.#drift,
      repaired: reached.changed,
      problems: reached.problems,
      advice: [...reached.advice, ...unanswered, ...book.advice],
      error,
    };
  }
}

/** Counts the services that were not compared as kept: they are as desired in the kernel. */
function withUntouchedCounted(plan: Plan, { services }: Pick<Desired, 'services'>): Plan {
  let compared = 0;
  for (const key of plan.keys) if (services.has(key)) compared += 1;
  const keep = plan.summary.keep + services.size - compared;
  return { ...plan, summary: { ...plan.summary, keep } };
}
