import { firstDelta, type Inventory } from '../inventory/inventory.ts';
import { type App, appKey, type RowKey, rowKey, rowOf } from '../model/app.ts';
import { type About, type Delta, isEmpty } from '../model/delta.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { NamedEnd } from '../plan/large-removal.ts';
import type { AppSource, Observer, StateStore, StoredChange } from '../ports.ts';
import { Latch } from '../time.ts';

/** What sources named: endpoints of tasks that ended or no longer serve a VIP, and apps that are gone. */
export interface NamedEnds {
  readonly endpoints: readonly NamedEnd[];
  readonly apps: readonly App[];
}

/** Changes of a source that are not on disk. */
export interface Unsaved {
  readonly source: string;
  /** null when it is unknown what the disk has. */
  readonly change: StoredChange | null;
  /** Returns everything that it reports now. */
  readonly all: () => Snapshot;
}

/** Brings what sources report into the inventory, and knows which of them have been read since the start. */
export class Sources {
  /** Where the last state of each source comes from. */
  readonly #from = new Map<string, 'source' | 'disk'>();
  readonly #unsaved = new Map<string, Changed>();
  /** Set when a source is read for the first time since the start. */
  readonly firstReads = new Latch<'first read'>();
  #endpoints: NamedEnd[] = [];
  #apps: App[] = [];
  readonly #sources: readonly AppSource[];
  readonly #observer: Observer;
  readonly #inventory: Inventory;

  constructor(sources: readonly AppSource[], observer: Observer, inventory: Inventory) {
    this.#sources = sources;
    this.#observer = observer;
    this.#inventory = inventory;
    for (const { name } of sources) inventory.addSource(name);
  }

  /** Loads the saved state of sources that have not been read since the start. */
  async restore(store: StateStore): Promise<void> {
    const unread = this.#sources.filter(({ name }) => !this.#from.has(name));
    const loaded = await Promise.all(
      unread.map(async ({ name }) => ({ name, stored: await store.loadSource(name) })),
    );
    for (const { name, stored } of loaded) {
      // The source may have been read in the meantime.
      if (stored === null || this.#from.has(name)) continue;
      this.#from.set(name, 'disk');
      this.#inventory.apply(name, firstDelta(stored.snapshot));
      const apps = this.#inventory.sizeOf(name);
      this.#observer.sourceRead(name, { apps, complete: true, fromDiskOf: stored.savedAt });
    }
  }

  /** Takes a successful read of a source. Returns its number of apps, and whether anything changed. */
  read(name: string, delta: Delta): { readonly apps: number; readonly isChanged: boolean } {
    const isFirst = this.#from.get(name) !== 'source';
    const changes = this.#from.get(name) === 'disk' ? this.#replacingDisk(name, delta) : delta;
    const ended = this.#inventory.apply(name, changes);
    for (const endpoint of ended.endpoints) this.#endpoints.push({ endpoint, source: name });
    for (const app of ended.apps) this.#apps.push(app);
    this.#from.set(name, 'source');
    const unsaved = this.#unsaved.get(name) ?? new Changed();
    unsaved.add(changes);
    this.#unsaved.set(name, unsaved);
    if (isFirst) this.firstReads.set('first read');
    const apps = this.#inventory.sizeOf(name);
    this.#observer.sourceRead(name, { apps, complete: delta.complete, fromDiskOf: null });
    // From the first read on, what the source lacks may be removed, so that one counts even without changes.
    return { apps, isChanged: isFirst || !isEmpty(changes) };
  }

  /** What sources named since the last call. */
  takeEnded(): NamedEnds {
    const ended = { endpoints: this.#endpoints, apps: this.#apps };
    this.#endpoints = [];
    this.#apps = [];
    return ended;
  }

  /** Whether the state of every source is known, from itself or from disk: without that no pass may run. */
  get known(): boolean {
    return this.#sources.every(({ name }) => this.#from.has(name));
  }

  /**
   * Whether every source has been read completely since the start. Otherwise (the last good state of one comes from disk)
   * nothing may be removed.
   */
  get complete(): boolean {
    return this.#sources.every(({ name }) => this.#from.get(name) === 'source');
  }

  /** The changes of each source since the last call. Pass to `notSaved` what could not be saved. */
  *takeUnsaved(): Generator<Unsaved> {
    for (const [source, changed] of this.#unsaved) {
      const change = changed.take();
      if (change !== 'none') yield { source, change, all: () => this.#inventory.saidBy(source) };
    }
  }

  notSaved({ source, change }: Unsaved): void {
    this.#unsaved.get(source)?.giveBack(change);
  }

  /** The first delta of a source, which holds everything, with the removal of what only the disk had. */
  #replacingDisk(name: string, delta: Delta): Delta {
    const there = new Set(delta.upserts.map(rowOf));
    const removed = this.#inventory
      .saidBy(name)
      .apps.filter((app) => !there.has(rowOf(app)))
      .map((app) => ({ key: appKey(app), fromTasks: app.fromTasks === true, how: 'missing' as const }));
    return { ...delta, removed };
  }
}

const MAX_UNSAVED_ROWS = 20_000;

/** The changes of one source since its last save. */
class Changed {
  /** Whether everything must be saved, since nothing was before. */
  #isAll = true;
  #about: About | undefined;
  readonly #rows = new Map<RowKey, App | Removed>();

  add({ upserts, removed, about }: Delta): void {
    if (this.#isAll) return;
    if (about !== undefined) this.#about = about;
    for (const [key, row] of removed.map(keyed)) this.#rows.set(key, row);
    for (const app of upserts) this.#rows.set(rowOf(app), app);
    this.#limit();
  }

  giveBack(change: StoredChange | null): void {
    if (change === null) {
      this.#isAll = true;
      return;
    }
    this.#about ??= change.about;
    const rows = [...change.upserts.map((app) => [rowOf(app), app] as const), ...change.removed.map(keyed)];
    for (const [key, row] of rows) if (!this.#rows.has(key)) this.#rows.set(key, row);
    this.#limit();
  }

  /** Beyond the bound the next save writes everything: while none succeeds, rows of removed apps would accumulate. */
  #limit(): void {
    if (this.#rows.size <= MAX_UNSAVED_ROWS) return;
    this.#isAll = true;
    this.#about = undefined;
    this.#rows.clear();
  }

  take(): StoredChange | null | 'none' {
    const rows = [...this.#rows.values()];
    const about = this.#about;
    const isAll = this.#isAll;
    this.#isAll = false;
    this.#about = undefined;
    this.#rows.clear();
    if (isAll) return null;
    if (rows.length === 0 && about === undefined) return 'none';
    return {
      upserts: rows.filter((row) => 'id' in row),
      removed: rows.filter((row) => 'key' in row),
      ...(about !== undefined && { about }),
    };
  }
}

type Removed = StoredChange['removed'][number];

function keyed({ key, fromTasks }: Removed): readonly [RowKey, Removed] {
  return [rowKey(key, fromTasks), { key, fromTasks }];
}
