import type { Clock } from '../ports.ts';

/** Whoever has taken so long waits for something else than this process: the next one begins meanwhile. */
const LONGEST_MS = 5_000;

/**
 * Lets a few at a time do what keeps this process busy for long; the others wait for their turn. All at once, each would take as
 * long as all of them together, and what waits for a disk or a helper beside it would seem to hang.
 */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Does the work when its turn comes; resolves or rejects as it does. */
  async take<Result>(clock: Pick<Clock, 'sleep'>, work: () => Promise<Result>): Promise<Result> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    const over = new AbortController();
    const isOver = clock.sleep(LONGEST_MS, over.signal).then(() => this.#next());
    try {
      return await work();
    } finally {
      over.abort(null);
      await isOver;
    }
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
