import { setImmediate } from 'node:timers/promises';
import type { Pause } from './time.ts';

/**
 * Yields to the event loop during long work: `await pace.restIfDue()` between its parts keeps health checks, DNS and timers
 * going while tens of megabytes are processed.
 */
export class Pace {
  readonly #turnMs: number;
  #since = performance.now();

  /** `turnMs`: the length of a turn after which to yield, in milliseconds; default 10. */
  constructor(turnMs = 10) {
    this.#turnMs = turnMs;
  }

  isDue(): boolean {
    return performance.now() - this.#since >= this.#turnMs;
  }

  async restIfDue(): Promise<void> {
    if (this.isDue()) await this.rest();
  }

  async rest(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}

/** Runs a generator to its end, yielding to the event loop between its steps when due. */
export async function inTurns<T>(parts: Generator<unknown, T>, pace: Pace = new Pace()): Promise<T> {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
    await pace.restIfDue();
  }
}

/** Runs a generator to its end without yielding to the event loop. */
export function atOnce<T>(parts: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/** The clock is read after work of this cost: reading it for each piece would be slow. */
const LOOK_AFTER = 64;

/**
 * Calls `work` until it returns true, yielding to the event loop in between. `work` does its work until `pause` returns true,
 * and returns whether it is done.
 */
export async function inSlices(work: (pause: Pause) => boolean, pace: Pace = new Pace()): Promise<void> {
  let spent = 0;
  const pause: Pause = (cost = 1) => {
    spent += cost;
    if (spent < LOOK_AFTER) return false;
    spent = 0;
    return pace.isDue();
  };
  while (!work(pause)) await pace.rest();
}

/** Calls `work` for each item, yielding in the same way. `work` returns its approximate cost: 1 for a task or a backend. */
export async function eachInSlices<Item>(
  items: Iterable<Item>,
  work: (item: Item) => number,
  pace: Pace = new Pace(),
): Promise<void> {
  const left = items[Symbol.iterator]();
  await inSlices((pause) => {
    for (let next = left.next(); !next.done; next = left.next()) if (pause(work(next.value))) return false;
    return true;
  }, pace);
}
