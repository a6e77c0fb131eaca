import type { Step } from '../model.ts';
import { Backoff } from './backoff.ts';

/** Each try makes the kernel look for a module, and say in its log that there is none. */
const RETRY = { firstMs: 5_000, limitMs: 60_000 };

/**
 * Which schedulers this kernel has, learnt from what it refuses: it loads the module of a scheduler when a service first
 * asks for it, so that nothing but asking tells.
 *
 * One that is lacking is tried again after a delay that grows, since its module may have been installed.
 */
export class Schedulers {
  readonly #backoff: Backoff<string>;
  readonly #lacking = new Set<string>();
  readonly #present = new Set<string>();

  constructor(random: () => number) {
    this.#backoff = new Backoff(RETRY, random);
  }

  /** Those that the kernel lacked when it was last asked, without those that are to be tried again now. */
  lacking(now: number): ReadonlySet<string> {
    return new Set([...this.#lacking].filter((scheduler) => this.#backoff.postpones(scheduler, now)));
  }

  /** The first of these steps for each scheduler with which no service has been made yet. */
  firstOfEachUnknown(steps: readonly Step[]): ReadonlySet<Step> {
    const first = new Map<string, Step>();
    for (const step of steps) {
      const scheduler = schedulerOf(step);
      if (scheduler !== null && !this.#present.has(scheduler) && !first.has(scheduler))
        first.set(scheduler, step);
    }
    return new Set(first.values());
  }

  /** A service was made, or changed, with this scheduler. */
  found(scheduler: string): void {
    this.#present.add(scheduler);
    this.#lacking.delete(scheduler);
    this.#backoff.succeeded(scheduler);
  }

  /** The kernel refused a service for want of this scheduler. */
  missed(scheduler: string, now: number): void {
    this.#present.delete(scheduler);
    this.#lacking.add(scheduler);
    this.#backoff.failed(scheduler, now);
  }

  /** To be called after a pass: one that was due and that no service asked for is forgotten. */
  settle(now: number): void {
    for (const scheduler of this.#lacking) {
      if (this.#backoff.postpones(scheduler, now)) continue;
      this.#lacking.delete(scheduler);
      this.#backoff.succeeded(scheduler);
    }
  }

  /** When the next of them is to be tried; null when none is. */
  nextDue(): number | null {
    return this.#backoff.nextDue();
  }
}

/** The scheduler that a step gives its service; null where it gives none. */
export function schedulerOf(step: Step): string | null {
  return step.op === 'add-service' || step.op === 'update-service' ? step.service.scheduler : null;
}
