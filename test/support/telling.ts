/** Sources of tests say what they have as whole lists; here it becomes what a source tells. */

import type { Inventory } from '../../controller/inventory/inventory.ts';
import { type App, type AppKey, appKey } from '../../controller/model/app.ts';
import type { Delta } from '../../controller/model/delta.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import { Feed } from '../../controller/source/feed.ts';

/** One source that says all it has each time. */
export class Telling {
  readonly #feed = new Feed();

  /** What a list of this tells; or, where it is not `complete`, all that differs, said by name: null before the first list. */
  delta(all: Snapshot, complete: boolean, learnedAt: number): Delta | null {
    if (complete) return this.#feed.list(all, learnedAt);
    const { apps, ...about } = all;
    const changes = new Map<AppKey, App | null>();
    for (const app of this.#feed.snapshot.apps) changes.set(appKey(app), null);
    for (const app of apps) changes.set(appKey(app), app);
    return this.#feed.update(changes, { complete, learnedAt, about });
  }
}

const sources = new WeakMap<Inventory, Map<string, Feed>>();

/** Lets a source say to an inventory that this is all it has. */
export function list(inventory: Inventory, source: string, all: Snapshot): void {
  const feeds = sources.get(inventory) ?? new Map<string, Feed>();
  sources.set(inventory, feeds);
  const feed = feeds.get(source) ?? new Feed();
  feeds.set(source, feed);
  inventory.apply(source, feed.list(all, 0));
}
