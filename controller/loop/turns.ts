import type { Clock } from '../ports.ts';

/** After this time a holder probably waits for something outside this process, so the next one may begin. */
const MAX_TURN_MS = 5_000;

/**
 * Limits how many long tasks run at a time. All at once, each would take as long as all together, and waits for a disk or a
 * helper would look like hangs.
 */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Runs the work when its turn comes; resolves or rejects as the work does. */
  async take<Result>(clock: Pick<Clock, 'sleep'>, work: () => Promise<Result>): Promise<Result> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    const over = new AbortController();
    const isOver = clock.sleep(MAX_TURN_MS, over.signal).then(() => this.#next());
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
