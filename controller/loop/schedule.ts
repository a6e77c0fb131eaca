import type { PassStatus } from '../pass-status.ts';
import type { Clock } from '../ports.ts';
import type { ManagedTable } from './managed-table.ts';

/** Interval of heartbeats, and of checks of interface and routes. */
export const TICK_MS = 1_000;
/** Delay of the next pass after one that ended with an error. */
const RETRY_AFTER_ERROR_MS = 2_000;

/** When passes over a table are due: full ones at an interval, others when a retry or another timed step is. */
export class Schedule {
  readonly #table: Pick<ManagedTable, 'view' | 'refreshInBackground' | 'nextDue'>;
  readonly #clock: Clock;
  readonly #wasRead: () => void;
  /** When the next full pass is due; infinite while the table is read in the background. */
  #full = Number.NEGATIVE_INFINITY;
  /** The earliest time for timed steps, which would be due at once again after an error. */
  #notBefore = Number.NEGATIVE_INFINITY;

  /** `wasRead` is called when the table has been read in the background: a full pass should be requested then. */
  constructor(
    table: Pick<ManagedTable, 'view' | 'refreshInBackground' | 'nextDue'>,
    clock: Clock,
    wasRead: () => void,
  ) {
    this.#table = table;
    this.#clock = clock;
    this.#wasRead = wasRead;
  }

  /** Whether the next pass is a full one. When one is due that was not requested, begins to read the table in the background. */
  takeFull(isAsked: boolean): boolean {
    const isDue = this.#clock.monotonic() >= this.#full;
    if (isAsked || !isDue || !this.#table.view.isKnown) return isAsked || isDue;
    this.#full = Number.POSITIVE_INFINITY;
    void this.#table.refreshInBackground().then(this.#wasRead);
    return false;
  }

  /** When a pass is due although nothing changed; infinite when none is. */
  nextDue(): number {
    const next = this.#table.nextDue();
    return next === null ? Number.POSITIVE_INFINITY : Math.max(next, this.#notBefore);
  }

  /** Ends a pass. The next full one is due `resyncMs` after a full one. */
  passed({ error, kind }: PassStatus, resyncMs: number): void {
    const now = this.#clock.monotonic();
    if (error !== null) this.#full = this.#notBefore = now + RETRY_AFTER_ERROR_MS;
    else if (kind === 'full') this.#full = now + resyncMs;
  }
}
