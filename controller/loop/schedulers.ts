import type { Step } from '../model/kernel.ts';
import { Backoff } from './backoff.ts';

/** Delays between retries, each of which makes the kernel look for a module and log that there is none. */
const RETRY = { firstMs: 5_000, limitMs: 60_000 };

/**
 * Learns which schedulers the kernel lacks from its refusals: since the kernel loads the module of a scheduler with the first
 * service that uses it, there is no other way to find out.
 *
 * A missing scheduler is retried after a growing delay, since its module may have been installed.
 */
export class Schedulers {
  readonly #backoff: Backoff<string>;
  readonly #lacking = new Set<string>();
  readonly #present = new Set<string>();

  constructor(random: () => number) {
    this.#backoff = new Backoff(RETRY, random);
  }

  /** Schedulers that the kernel lacks, without those whose retry is due. */
  lacking(now: number): ReadonlySet<string> {
    return new Set([...this.#lacking].filter((scheduler) => this.#backoff.postpones(scheduler, now)));
  }

  /** The first of these steps for each scheduler that no service has been added with yet. */
  firstOfEachUnknown(steps: readonly Step[]): ReadonlySet<Step> {
    const first = new Map<string, Step>();
    for (const step of steps) {
      const scheduler = schedulerOf(step);
      if (scheduler !== null && !this.#present.has(scheduler) && !first.has(scheduler))
        first.set(scheduler, step);
    }
    return new Set(first.values());
  }

  /** Takes that a service was added or changed with this scheduler. */
  found(scheduler: string): void {
    this.#present.add(scheduler);
    this.#lacking.delete(scheduler);
    this.#backoff.succeeded(scheduler);
  }

  /** Takes that the kernel refused a service because it lacks this scheduler. */
  missed(scheduler: string, now: number): void {
    this.#present.delete(scheduler);
    this.#lacking.add(scheduler);
    this.#backoff.failed(scheduler, now);
  }

  /** Ends a pass: forgets schedulers whose retry was due and that no service declared. */
  settle(now: number): void {
    for (const scheduler of this.#lacking) {
      if (this.#backoff.postpones(scheduler, now)) continue;
      this.#lacking.delete(scheduler);
      this.#backoff.succeeded(scheduler);
    }
  }

  /** When the next retry after the pass at `looked` is due; null when there is none. */
  nextDue(looked: number): number | null {
    return this.#backoff.nextDue(looked);
  }
}

/** The scheduler in a step; null when it has none. */
export function schedulerOf(step: Step): string | null {
  return step.op === 'add-service' || step.op === 'update-service' ? step.service.scheduler : null;
}
