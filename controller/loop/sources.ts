import { type About, type Delta, isEmpty } from '../delta.ts';
import { firstDelta, type Inventory } from '../inventory/inventory.ts';
import { type App, appKey, type RowKey, rowKey, rowOf, type Snapshot } from '../model.ts';
import type { NamedEnd } from '../plan/let-go.ts';
import type { AppSource, Observer, StateStore, StoredChange } from '../ports.ts';
import { Latch } from '../time.ts';

/** What sources said by name: where tasks ended or serve a VIP no more, and which apps are gone. */
export interface NamedEnds {
  readonly endpoints: readonly NamedEnd[];
  readonly apps: readonly App[];
}

/** What a source said by itself that is not on disk. */
export interface Unsaved {
  readonly source: string;
  /** null: nothing of it is known to be there. */
  readonly change: StoredChange | null;
  /** Everything that it says now. */
  readonly all: () => Snapshot;
}

/** Brings what sources say into the inventory, and knows how much of it was read since the start. */
export class Sources {
  /** Where what each source said last is from. */
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

  /** Takes what each source said before a restart, where it has not been read since. */
  async restore(store: StateStore): Promise<void> {
    const unread = this.#sources.filter(({ name }) => !this.#from.has(name));
    const loaded = await Promise.all(
      unread.map(async ({ name }) => ({ name, stored: await store.loadSource(name) })),
    );
    for (const { name, stored } of loaded) {
      // It may have been read meanwhile.
      if (stored === null || this.#from.has(name)) continue;
      this.#from.set(name, 'disk');
      this.#inventory.apply(name, firstDelta(stored.snapshot));
      const apps = this.#inventory.sizeOf(name);
      this.#observer.sourceRead(name, { apps, complete: true, fromDiskOf: stored.savedAt });
    }
  }

  /** A source was read well. Returns how many apps it tells of now, and whether it is another than before. */
  read(name: string, delta: Delta): { readonly apps: number; readonly isChanged: boolean } {
    const isFirst = this.#from.get(name) !== 'source';
    const told = this.#from.get(name) === 'disk' ? this.#replacingDisk(name, delta) : delta;
    const ended = this.#inventory.apply(name, told);
    this.#endpoints.push(...ended.endpoints.map((endpoint) => ({ endpoint, source: name })));
    this.#apps.push(...ended.apps);
    this.#from.set(name, 'source');
    const unsaved = this.#unsaved.get(name) ?? new Changed();
    unsaved.add(told);
    this.#unsaved.set(name, unsaved);
    if (isFirst) this.firstReads.set('first read');
    const apps = this.#inventory.sizeOf(name);
    this.#observer.sourceRead(name, { apps, complete: delta.complete, fromDiskOf: null });
    // Only now may what the source lacks be taken away: also where it says what was on disk, or nothing.
    return { apps, isChanged: isFirst || !isEmpty(told) };
  }

  /** What sources said by name since this was last asked. */
  takeEnded(): NamedEnds {
    const ended = { endpoints: this.#endpoints, apps: this.#apps };
    this.#endpoints = [];
    this.#apps = [];
    return ended;
  }

  /** Whether every source has said something, now or before the restart: no pass may run on less. */
  get known(): boolean {
    return this.#sources.every(({ name }) => this.#from.has(name));
  }

  /**
   * Whether every source has been read completely since the start. Without that (the last good state of one comes from
   * disk) nothing may be taken away.
   */
  get complete(): boolean {
    return this.#sources.every(({ name }) => this.#from.get(name) === 'source');
  }

  /** What each source said since this was last asked. What cannot be saved is to be given back to `notSaved`. */
  *takeUnsaved(): Generator<Unsaved> {
    for (const [source, changed] of this.#unsaved) {
      const change = changed.take();
      if (change !== 'none') yield { source, change, all: () => this.#inventory.saidBy(source) };
    }
  }

  notSaved({ source, change }: Unsaved): void {
    this.#unsaved.get(source)?.giveBack(change);
  }

  /** What the disk had and the source's first delta, which holds everything, has not is missing. */
  #replacingDisk(name: string, delta: Delta): Delta {
    const there = new Set(delta.upserts.map(rowOf));
    const removed = this.#inventory
      .saidBy(name)
      .apps.filter((app) => !there.has(rowOf(app)))
      .map((app) => ({ key: appKey(app), fromTasks: app.fromTasks === true, how: 'missing' as const }));
    return { ...delta, removed };
  }
}

/** The rows of one source that changed since they were saved. */
class Changed {
  /** Nothing was saved before. */
  #isAll = true;
  #about: About | undefined;
  readonly #rows = new Map<RowKey, App | Removed>();

  add({ upserts, removed, about }: Delta): void {
    if (this.#isAll) return;
    if (about !== undefined) this.#about = about;
    for (const [key, row] of removed.map(keyed)) this.#rows.set(key, row);
    for (const app of upserts) this.#rows.set(rowOf(app), app);
  }

  giveBack(change: StoredChange | null): void {
    if (change === null) {
      this.#isAll = true;
      return;
    }
    this.#about ??= change.about;
    const rows = [...change.upserts.map((app) => [rowOf(app), app] as const), ...change.removed.map(keyed)];
    for (const [key, row] of rows) if (!this.#rows.has(key)) this.#rows.set(key, row);
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
