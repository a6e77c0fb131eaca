/** Remembers large removals that the brake did not hold, to answer "why were 40 backends removed at 03:12?" */

import type { PassStatus } from '../pass-status.ts';
import { type LargeRemoval, largeRemovalText } from '../plan/large-removal.ts';

/** A large removal that a pass made. */
export interface PastRemoval extends LargeRemoval {
  /** When the pass that made it ended, in milliseconds of the monotonic clock. */
  readonly at: number;
}

/** Few, since each may list every VIP of the host. */
const MAX_REMOVALS = 10;
const MAX_AGE_MS = 3_600_000;

/** Keeps the large removals of the last hour. */
export class LargeRemovals {
  /** Newest first. */
  #all: readonly PastRemoval[] = [];
  #last = '';

  /** Records what a pass removed. Returns null if the previous pass planned the same, as happens while writes fail. */
  passed({ largeRemoval, finishedAt }: Pick<PassStatus, 'largeRemoval' | 'finishedAt'>): PastRemoval | null {
    const text = largeRemoval === null ? '' : largeRemovalText(largeRemoval);
    const isNew = text !== this.#last;
    this.#last = text;
    if (largeRemoval === null || !isNew) return null;
    const removal = { ...largeRemoval, at: finishedAt };
    this.#all = [removal, ...this.recent(finishedAt)].slice(0, MAX_REMOVALS);
    return removal;
  }

  /** Returns the removals of the last hour, at most ten, the newest first. */
  recent(now: number): readonly PastRemoval[] {
    return this.#all.filter(({ at }) => now - at < MAX_AGE_MS);
  }
}
