import { earliest } from './time.ts';

/** The delay after the first failure, and the longest one, in milliseconds. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly limitMs: number;
}

/** The delay after a number of failures in a row: doubles from `firstMs` up to `limitMs`; 0 without a failure. */
export function delayAfter(failures: number, { firstMs, limitMs }: BackoffOptions): number {
  return failures === 0 ? 0 : Math.min(limitMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

/**
 * A wait with jitter: up to `share` longer, so that clients that a server put off do not come back together. `random` returns
 * numbers in [0, 1).
 */
export function withJitter(ms: number, random: () => number, share = 0.5): number {
  return ms * (1 + share * random());
}

const RETRY: BackoffOptions = { firstMs: 100, limitMs: 30_000 };

/**
 * The delay after this many failures in a row, with jitter: it doubles, by default from 100 ms to 30 s. Half of it is jitter, since
 * all hosts fail together. `random` returns numbers in [0, 1).
 */
export function retryDelay(failures: number, random: () => number, options = RETRY): number {
  return delayAfter(failures, options) * (0.5 + 0.5 * random());
}

/** A failed item: how many times in a row, since when, and when its retry is due. */
export interface Postponed {
  readonly failures: number;
  readonly since: number;
  readonly due: number;
}

/**
 * Postpones failed items, each by itself, so that one that cannot succeed does not cost a write in every pass. `random` returns
 * numbers in [0, 1), so that hosts that fail together do not retry together.
 */
export class Backoff {
  readonly #items = new Map<string, Postponed>();
  readonly #options: BackoffOptions;
  readonly #random: () => number;

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  failed(key: string, now: number): void {
    const before = this.#items.get(key);
    const failures = (before?.failures ?? 0) + 1;
    const due = now + withJitter(delayAfter(failures, this.#options), this.#random, 0.2);
    this.#items.set(key, { failures, since: before?.since ?? now, due });
  }

  succeeded(key: string): void {
    this.#items.delete(key);
  }

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /** Whether the retry of this item is not due yet. */
  postpones(key: string, now: number): boolean {
    return (this.#items.get(key)?.due ?? 0) > now;
  }

  /** All items that failed and have not succeeded since. */
  get all(): ReadonlyMap<string, Postponed> {
    return this.#items;
  }

  /**
   * When the next retry after the last pass, at `lastPass`, is due; null when there is none. What was due then and has
   * not been retried waits for something else, such as its service, and would keep the loop busy until that comes.
   */
  nextDue(lastPass: number): number | null {
    let next: number | null = null;
    for (const { due } of this.#items.values()) if (due > lastPass) next = earliest(next, due);
    return next;
  }

  /** Forgets items for which `keep` is false, since they are no longer wanted. */
  prune(keep: (key: string) => boolean): void {
    for (const key of this.#items.keys()) if (!keep(key)) this.#items.delete(key);
  }
}
