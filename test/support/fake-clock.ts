import type { Clock } from '../../controller/ports.ts';

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/**
 * Time that only moves when a test says so. Its two clocks are far apart, so that code that takes one for the other does
 * not get through.
 */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #offset = 1_700_000_000_000;
  readonly #sleepers = new Set<Sleeper>();

  epoch(): number {
    return this.#now + this.#offset;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Sets the machine's clock forward, or back, as an operator or NTP does. */
  step(ms: number): void {
    this.#offset += ms;
  }

  /** Number of those who sleep. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { due: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
    });
  }

  /** Lets `ms` pass, waking sleepers in the order in which they are due, each with time to go to sleep again. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#nextDue(end); next !== undefined; next = this.#nextDue(end)) {
      this.#now = Math.max(this.#now, next.due);
      next.wake();
      await settled();
    }
    this.#now = end;
    await settled();
  }

  #nextDue(end: number): Sleeper | undefined {
    const due = [...this.#sleepers].filter((sleeper) => sleeper.due <= end);
    return due.sort((a, b) => a.due - b.due)[0];
  }
}

/** So many turns of the event loop at least: what waits for the disk or a socket may be there then. */
const TURNS = 20;

/**
 * Lets everything run that waits for nothing but promises, and for its next turn: on a busy machine long work rests more often,
 * so that a number of turns would be too few on some.
 */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS || isAnotherTurnDue(); turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
}

function isAnotherTurnDue(): boolean {
  return process.getActiveResourcesInfo().includes('Immediate');
}
