import type { Clock } from '../ports.ts';

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
