/** What sources publish to the inventory: changes, not whole states. */

import type { App, AppKey, Snapshot } from './model.ts';

/** What is not about an app. */
export type About = Omit<Snapshot, 'apps'>;

/** What one read of a source changed. Made by a source's feed; the first one of a source holds everything. */
export interface Delta {
  /** Rows that are new or differ, each whole. */
  readonly upserts: readonly App[];
  /** `named`: the source reported this very app as gone. `missing`: it is in a list no more. `fromTasks`: which of the app's rows. */
  readonly removed: readonly {
    readonly key: AppKey;
    readonly fromTasks: boolean;
    readonly how: 'named' | 'missing';
  }[];
  /** Replaces what was published before; absent where that is unchanged. */
  readonly about?: About;
  /** Whether the whole source was read. Otherwise these apps alone were read. */
  readonly complete: boolean;
  /** When the change was learnt of, on the monotonic clock. */
  readonly learnedAt: number;
}

/** Whether a delta has no change: the source is as it was. */
export function isEmpty({ upserts, removed, about }: Delta): boolean {
  return upserts.length === 0 && removed.length === 0 && about === undefined;
}
