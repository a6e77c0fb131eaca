/** Large removals that were not held, kept for a while: "why did it let 40 backends go at 03:12?" */

import type { PassStatus } from '../pass-status.ts';
import { type LargeRemoval, letGoText } from '../plan/let-go.ts';

/** `at`: when the pass that made it ended, in milliseconds of the monotonic clock. */
export interface PastRemoval extends LargeRemoval {
  readonly at: number;
}

/** Each may name every VIP of the host. */
const MOST = 10;
const KEPT_MS = 3_600_000;

export class LargeRemovals {
  /** The newest first. */
  #all: readonly PastRemoval[] = [];
  #last = '';

  /** Takes what a pass let go; returns it unless the pass before had it too: where writes fail, it is planned again. */
  passed({ letGo, finishedAt }: Pick<PassStatus, 'letGo' | 'finishedAt'>): PastRemoval | null {
    const text = letGo == null ? '' : letGoText(letGo);
    const isNew = text !== this.#last;
    this.#last = text;
    if (letGo == null || !isNew) return null;
    const removal = { ...letGo, at: finishedAt };
    this.#all = [removal, ...this.recent(finishedAt)].slice(0, MOST);
    return removal;
  }

  /** Those of the last hour, at most ten, the newest first. */
  recent(now: number): readonly PastRemoval[] {
    return this.#all.filter(({ at }) => now - at < KEPT_MS);
  }
}
