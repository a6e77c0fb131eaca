/** Time: the clocks, a latch that a loop waits for, and how long work asks whether to yield. */

/** The clocks of the machine, and sleep. */
export interface Clock {
  /**
   * Milliseconds since the epoch. An operator or NTP may step this clock by any amount in either direction, so it is only
   * for what is shown to people or kept across a restart.
   */
  epoch(): number;
  /** Milliseconds since an arbitrary moment; never steps or goes back. For every interval, deadline and age. */
  monotonic(): number;
  /** Resolves after `ms` (0 or less: at once; infinite: never), or when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The limit of `setTimeout`: a longer timer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clocks of this machine. */
export const systemClock: Clock = {
  epoch: () => Date.now(),
  monotonic: () => performance.now(),
  // Not by timers/promises, where each abort creates two errors with stacks: the loop is woken for every change.
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
        if (left <= MAX_TIMER_MS) timer = setTimeout(end, left);
        else timer = setTimeout(() => wait(due - performance.now()), MAX_TIMER_MS);
      };
      wait(signal?.aborted ? 0 : ms);
      signal?.addEventListener('abort', end);
    }),
};

/** Smaller differences are not a step: the two clocks are read one after the other, and NTP slews one of them. */
const MIN_STEP_MS = 1_000;

/**
 * Returns a function for the offset that converts monotonic time to milliseconds since the epoch.
 *
 * The offset stays the same until the machine's clock is stepped, so that a moment is always shown as the same time.
 */
export function createEpochOffset(clock: Pick<Clock, 'epoch' | 'monotonic'>): () => number {
  let offset = Number.NaN;
  return () => {
    const now = Math.round(clock.epoch() - clock.monotonic());
    if (!(Math.abs(now - offset) < MIN_STEP_MS)) offset = now;
    return offset;
  };
}

/** The earliest of these times; null when there is none. */
export function earliest(...times: readonly (number | null)[]): number | null {
  let first: number | null = null;
  for (const time of times) if (time !== null && (first === null || time < first)) first = time;
  return first;
}

/** Remembers reasons to wake up until they are taken; the same reason counts once. */
export class Latch<Reason extends string> {
  #reasons = new Set<Reason>();
  #wake: (() => void) | undefined;

  set(reason: Reason): void {
    this.#reasons.add(reason);
    this.#wake?.();
  }

  /** Returns the reasons since the last call, and forgets them. */
  take(): ReadonlySet<Reason> {
    const taken = this.#reasons;
    this.#reasons = new Set();
    return taken;
  }

  /** Resolves when there is a reason, after `ms`, or when `signal` aborts. Forgets nothing. One waiter at a time. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#reasons.size > 0 || signal.aborted) return;
    const enough = new AbortController();
    // With a reason, since otherwise each abort creates an error with a stack.
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

/** Called after each piece of long work with its approximate cost (1 for a task or a backend): whether to yield now. */
export type Pause = (cost?: number) => boolean;

/** Never yields: for small work, and for commands that do nothing else. */
export const withoutPause: Pause = () => false;
