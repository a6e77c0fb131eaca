/** Time: two clocks and the latch that a loop waits at. */

export interface Clock {
  /**
   * Milliseconds since the epoch, as the machine's clock is set now: an operator or NTP may move it by any amount, in either
   * direction. Only for what is shown to people, or kept across a restart.
   */
  epoch(): number;
  /** Milliseconds since some moment before; never goes back, and never jumps. For every interval, deadline and age. */
  monotonic(): number;
  /** Resolves after `ms` (0 and less: at once; infinite: never by itself), or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A timer that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  epoch: () => Date.now(),
  monotonic: () => performance.now(),
  // Not by timers/promises: an abort makes two errors with their stacks there, and the loop is woken for every change.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const due = performance.now() + ms;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const wait = (left: number) => {
        if (left <= LONGEST_TIMER_MS) timer = setTimeout(end, left);
        else timer = setTimeout(() => wait(due - performance.now()), LONGEST_TIMER_MS);
      };
      wait(signal?.aborted ? 0 : ms);
      signal?.addEventListener('abort', end);
    }),
};

/** A difference that is smaller is no step: the two clocks are read one after the other, and NTP slews one of them. */
const LEAST_STEP_MS = 1_000;

/**
 * Makes the function that gives what to add to a monotonic time to get the time of day, in milliseconds since the epoch.
 *
 * It stays the same until the machine's clock is stepped, so that one moment is always shown as the same time.
 */
export function createEpochOffset(clock: Pick<Clock, 'epoch' | 'monotonic'>): () => number {
  let offset = Number.NaN;
  return () => {
    const now = Math.round(clock.epoch() - clock.monotonic());
    if (!(Math.abs(now - offset) < LEAST_STEP_MS)) offset = now;
    return offset;
  };
}

/** Remembers what happened until someone asks; happenings of one kind count as one. */
export class Latch<Reason extends string> {
  #reasons = new Set<Reason>();
  #wake: (() => void) | undefined;

  set(reason: Reason): void {
    this.#reasons.add(reason);
    this.#wake?.();
  }

  /** Says what happened since it was last asked, and forgets it. */
  take(): ReadonlySet<Reason> {
    const taken = this.#reasons;
    this.#reasons = new Set();
    return taken;
  }

  /** Resolves when something has happened, after `ms`, or when `signal` aborts. Forgets nothing. One waits at a time. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#reasons.size > 0 || signal.aborted) return;
    const enough = new AbortController();
    // With a reason: without one each change makes an error with its stack, which nobody reads.
    const end = () => enough.abort(null);
    this.#wake = end;
    signal.addEventListener('abort', end);
    try {
      await clock.sleep(ms, enough.signal);
    } finally {
      this.#wake = undefined;
      signal.removeEventListener('abort', end);
    }
  }
}
