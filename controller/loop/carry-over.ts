import { type ServiceKey, serviceKey } from '../model/service.ts';
import { everyKey } from '../plan/diff.ts';
import type { Plan } from '../plan/plan.ts';
import type { Outcome } from './outcome.ts';
import type { PlanInput, PlanResult } from './planner.ts';

/** How often the connections of draining backends are counted. */
const DRAIN_CHECK_MS = 5_000;

/** What one pass leaves for the next: services to compare, names of held VIPs, and when to count draining connections. */
export class CarryOver {
  /** Services that may differ from the kernel. */
  #due = new Set<ServiceKey>();
  #isAllDue = true;
  #wasComplete = false;
  #heldNames: ReadonlySet<string> = new Set();
  #isDraining = false;
  #drainsCheckedAt = 0;

  /** The next plan compares these services. */
  markDue(keys: Iterable<ServiceKey>): void {
    for (const key of keys) this.#due.add(key);
  }

  /** The next plan compares all services. */
  markAllDue(): void {
    this.#isAllDue = true;
  }

  /** Whether all sources have been read. All services are compared again when that changes, since it decides what may be removed. */
  setComplete(isComplete: boolean): void {
    this.#isAllDue ||= isComplete !== this.#wasComplete;
    this.#wasComplete = isComplete;
  }

  /** The services that a plan must compare. */
  *dueOf(input: Pick<PlanInput, 'desired' | 'owned'>): Generator<ServiceKey> {
    if (!this.#isAllDue) return yield* this.#due;
    yield* everyKey(input);
    // A service that is no longer desired or owned may still have a route or a name.
    for (const key of this.#due) if (!input.desired.services.has(key) && !input.owned.has(key)) yield key;
  }

  /** Ends a pass: what it left different from desired is due in the next one. */
  settle({ plan, drains }: PlanResult, outcome: Outcome, isDryRun: boolean): void {
    const { failed, refused, postponed, lastInRotation } = outcome;
    const steps = isDryRun
      ? [...plan.growing, ...plan.shrinking]
      : [...refused, ...postponed, ...lastInRotation];
    const due = new Set(
      [...steps, ...failed.map(({ step }) => step)].map(({ service }) => serviceKey(service)),
    );
    for (const { key } of plan.conflicts) due.add(key);
    for (const { key, held } of plan.services) if (held) due.add(key);
    for (const key of drains.keys()) due.add(key);
    this.#due = due;
    this.#isAllDue = false;
  }

  /** The names of the VIPs that the last plan held. */
  get heldNames(): ReadonlySet<string> {
    return this.#heldNames;
  }

  /** Remembers the names of the VIPs that a plan holds. Returns whether they changed. */
  setHeld(plan: Plan): boolean {
    const before = this.#heldNames;
    this.#heldNames = heldNames(plan);
    return this.#heldNames.symmetricDifference(before).size > 0;
  }

  /** When to count the connections of draining backends; null when none drains. */
  get nextDrainCheck(): number | null {
    return this.#isDraining ? this.#drainsCheckedAt + DRAIN_CHECK_MS : null;
  }

  /** Whether to count them now; if so, the next time is one interval later. */
  takeDrainCheck(now: number): boolean {
    if (this.nextDrainCheck === null || now < this.nextDrainCheck) return false;
    this.#drainsCheckedAt = now;
    return true;
  }

  setDraining(isDraining: boolean, now: number): void {
    if (!this.#isDraining) this.#drainsCheckedAt = now;
    this.#isDraining = isDraining;
  }
}

/** The names (`label.framework`) of held VIPs. */
function heldNames({ services }: Plan): ReadonlySet<string> {
  const held = services.filter((service) => service.held && service.name !== null);
  return new Set(held.map(({ name, framework }) => `${name}.${framework}`));
}
