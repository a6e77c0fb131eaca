import { withJitter } from '../backoff.ts';
import type { Clock } from '../ports.ts';
import { ApiFailure } from './api-failure.ts';

/** How long the server asks to wait after this failure, bounded; null if it does not. */
export function retryAfterOf(error: unknown): number | null {
  return error instanceof ApiFailure ? error.retryAfterMs : null;
}

/** Delays all requests of one kind for as long as the API server asks after any of them (429, 503). */
export class Throttle {
  readonly #clock: Clock;
  readonly #random: () => number;
  #until = Number.NEGATIVE_INFINITY;

  /** `random` returns numbers in [0, 1): with jitter clients do not come back at the same moment. */
  constructor({ clock, random }: { readonly clock: Clock; readonly random: () => number }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Records a failure. Returns whether the server asks to wait. */
  record(error: unknown): boolean {
    const ms = retryAfterOf(error);
    if (ms === null) return false;
    this.#until = Math.max(this.#until, this.#clock.monotonic() + withJitter(ms, this.#random));
    return true;
  }

  /** How many milliseconds the server wants to be left alone; 0 if it does not. */
  get remainingMs(): number {
    return Math.max(0, this.#until - this.#clock.monotonic());
  }

  /** Resolves when requests may be sent, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    // The server may ask again meanwhile, after a request that was under way.
    while (this.remainingMs > 0 && !signal.aborted) await this.#clock.sleep(this.remainingMs, signal);
  }
}
