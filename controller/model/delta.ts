/** Deltas: sources publish changes to the inventory, not whole states. */

import type { App, AppKey } from './app.ts';
import type { Snapshot } from './snapshot.ts';

/** What a source reports besides apps. */
export type About = Omit<Snapshot, 'apps'>;

/** The changes that one read of a source found. The first delta of a source holds everything. */
export interface Delta {
  /** Rows that are new or differ, each whole. */
  readonly upserts: readonly App[];
  /** `named`: the source reported that this app is gone. `missing`: a list no longer has it. `fromTasks`: which of the app's rows. */
  readonly removed: readonly {
    readonly key: AppKey;
    readonly fromTasks: boolean;
    readonly how: 'named' | 'missing';
  }[];
  /** Replaces the last one; absent when unchanged. */
  readonly about?: About;
  /** Whether the whole source was read, and not only these apps. */
  readonly complete: boolean;
  /**
   * The ids of the tasks that the source named as ended. A task that is missing otherwise may only have been left out. When
   * absent, no missing task was named in a complete delta, and every one in any other.
   */
  readonly endedTasks?: ReadonlySet<string>;
  /** When the controller learnt of the change, in milliseconds of the monotonic clock. */
  readonly learnedAt: number;
}

/** Whether a delta has no changes. */
export function isEmpty({ upserts, removed, about }: Delta): boolean {
  return upserts.length === 0 && removed.length === 0 && about === undefined;
}
