import { setImmediate } from 'node:timers/promises';
import type { Pause } from './pause.ts';

/**
 * Lets others have their turn during long work: `await pace.restIfDue()` between its parts keeps the
 * process answering (health, DNS, timers) while tens of megabytes are read.
 */
export class Pace {
  readonly #turnMs: number;
  #since = performance.now();

  /** How long one turn may be, in milliseconds; a part that is longer makes it longer. Defaults to 10. */
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

/** Does work that comes in parts, with rests between them. */
export async function inTurns<T>(parts: Generator<unknown, T>, pace: Pace = new Pace()): Promise<T> {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
    await pace.restIfDue();
  }
}

/** Cost after which the clock is looked at. */
const LOOK_AFTER = 64;

/**
 * Calls `work` until it returns true, with rests in which others have their turn. `work` does what is due until `pause`
 * says that it should rest, and returns whether nothing is left.
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

/** Calls `work` for each item, with the same rests. `work` returns about what it cost: 1 for a task or a backend. */
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
