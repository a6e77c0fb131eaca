import { canonicalText } from '../address.ts';
import { same } from '../compare.ts';
import { type App, type AppKey, appKey, type Rejection, type RowKey, rowKey, rowOf } from '../model/app.ts';
import type { About, Delta } from '../model/delta.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Place } from '../model/place.ts';
import type { Snapshot, UnknownPart } from '../model/snapshot.ts';
import { inSlices } from '../pace.ts';
import { type Pause, withoutPause } from '../time.ts';
import { AddressIndex } from './address-index.ts';
import { endedByName } from './ended.ts';
import { type AppRows, listedTasks, mergeRows } from './merge.ts';
import { PlaceIndex } from './place-index.ts';
import { TaskIndex } from './task-index.ts';

/** What a source named in one read. */
export interface Ended {
  /** The endpoints of tasks that ended, or that no longer serve a VIP. */
  readonly endpoints: readonly BackendKey[];
  /** Apps that were removed. */
  readonly apps: readonly App[];
}

/**
 * What all sources report, as rows: one for each source, app and kind (a definition, or an app put together from tasks). The
 * rows of all sources with the same app are merged into one app.
 *
 * `apply` takes a delta of a source; `settle` updates apps and indexes, at a cost proportional to what changed;
 * `takeChanged` then returns the apps that changed.
 */
export class Inventory {
  readonly #sources = new Map<string, SourceRows>();
  readonly #apps = new Map<AppKey, App>();
  /**
   * Tasks of an app that both kinds of rows have listed. This is the only state that is not in the rows; a rebuild needs it
   * as well, and a restart forgets it.
   */
  readonly #listed = new Map<AppKey, ReadonlySet<string>>();
  #due = new Set<AppKey>();
  #changed = new Set<AppKey>();
  readonly tasks = new TaskIndex(this.#apps);
  readonly addresses = new AddressIndex(this.#apps);
  readonly places = new PlaceIndex();

  /** An inventory of complete sources. */
  static of(snapshots: readonly Snapshot[]): Inventory {
    const inventory = Inventory.#with(snapshots);
    inventory.settle(withoutPause);
    return inventory;
  }

  /** The same, yielding to the event loop. */
  static async inSlices(snapshots: readonly Snapshot[]): Promise<Inventory> {
    const inventory = Inventory.#with(snapshots);
    await inSlices((pause) => inventory.settle(pause));
    return inventory;
  }

  static #with(snapshots: readonly Snapshot[]): Inventory {
    const inventory = new Inventory();
    for (const [index, snapshot] of snapshots.entries()) inventory.apply(String(index), firstDelta(snapshot));
    return inventory;
  }

  /** Adds a source. Where sources disagree, the one added first decides. */
  addSource(name: string): void {
    this.#rowsOf(name);
  }

  /** The apps by key, as of the last `settle`. */
  get apps(): ReadonlyMap<AppKey, App> {
    return this.#apps;
  }

  /** The whole inventory, as if one source reported it. */
  toSnapshot(): Snapshot {
    const abouts = [...this.#sources.values()].map(({ about }) => about);
    const listing = abouts.some(({ agents }) => agents !== undefined);
    const agents = [...new Set(abouts.flatMap((about) => about.agents ?? []))].sort();
    const { rejected, warnings } = this;
    return { apps: [...this.#apps.values()], rejected, warnings, ...(listing && { agents }) };
  }

  /** Documents that are not apps. */
  get rejected(): readonly Rejection[] {
    return [...this.#sources.values()].flatMap(({ about }) => about.rejected);
  }

  /** Warnings about sources, not about single apps. */
  get warnings(): readonly string[] {
    return [...this.#sources.values()].flatMap(({ about }) => about.warnings);
  }

  /** What of the sources is unknown. */
  get unknown(): readonly UnknownPart[] {
    return [...this.#sources.values()].flatMap(({ about, unknown }) => [
      ...(about.unknown ?? []),
      ...unknown.values(),
    ]);
  }

  /** The apps with a task at one of these addresses. Goes over all apps. */
  *appsWithTasksAt(addresses: ReadonlySet<string>): Generator<AppKey> {
    for (const [key, { tasks }] of this.#apps) if (isAtOneOf(tasks, addresses)) yield key;
  }

  /** The number of apps of one source. */
  sizeOf(source: string): number {
    return this.#rowsOf(source).size;
  }

  /** What one source reports. */
  saidBy(source: string): Snapshot {
    const rows = this.#rowsOf(source);
    return { ...rows.about, apps: [...rows.all()] };
  }

  /**
   * Applies the changes of one read. Returns what the source named in it.
   */
  apply(source: string, { upserts, removed, about, complete, endedTasks }: Delta): Ended {
    const rows = this.#rowsOf(source);
    const endpoints: BackendKey[] = [];
    const apps: App[] = [];
    const before = new Map<AppKey, readonly App[]>();
    const touch = (key: AppKey) => {
      if (!before.has(key)) before.set(key, rows.of(key));
      this.#due.add(key);
    };
    const named = new Set<AppKey>();
    for (const { key, fromTasks, how } of removed) {
      touch(key);
      rows.delete(key, fromTasks);
      if (how === 'named') named.add(key);
    }
    for (const app of upserts) {
      const key = appKey(app);
      touch(key);
      rows.set(key, app);
    }
    for (const [key, had] of before) {
      const has = rows.of(key);
      this.#noteListed(key);
      const ended = named.has(key) ? 'all' : (endedTasks ?? (complete ? NO_TASKS : 'all'));
      for (const endpoint of endedByName(had, has, { byName: !complete, ended })) endpoints.push(endpoint);
      // An app that is missing from a list may only have been left out.
      if (named.has(key) && has.length === 0) apps.push(...had);
    }
    if (about !== undefined) this.#setAbout(rows, about);
    return { endpoints, apps };
  }

  /** Updates apps and indexes. True when done; false when `pause` interrupted it: call it again. */
  settle(pause: Pause): boolean {
    for (const key of this.#due) {
      this.#due.delete(key);
      const tasks = this.#merge(key);
      if (pause(1 + tasks) && this.#due.size > 0) return false;
    }
    return true;
  }

  /** The apps that were added, changed or removed since the last call. */
  takeChanged(): ReadonlySet<AppKey> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  #merge(key: AppKey): number {
    const before = this.#apps.get(key);
    const app = mergeRows(this.#rowsOfApp(key), this.#listed.get(key) ?? NONE);
    if (app === before || (app !== undefined && same(app, before))) return 0;
    if (app === undefined) this.#apps.delete(key);
    else this.#apps.set(key, app);
    this.tasks.replace(key, before, app);
    this.addresses.replace(key, before, app);
    this.places.replace(before, app);
    this.#changed.add(key);
    return (before?.tasks.length ?? 0) + (app?.tasks.length ?? 0);
  }

  #noteListed(key: AppKey): void {
    // Most apps are in no source of tasks, and a list of all apps is taken in one stretch.
    if (!this.#isFromTasks(key)) {
      this.#listed.delete(key);
      return;
    }
    const listed = listedTasks(this.#rowsOfApp(key), this.#listed.get(key) ?? NONE);
    if (listed.size > 0) this.#listed.set(key, listed);
    else this.#listed.delete(key);
  }

  #isFromTasks(key: AppKey): boolean {
    for (const { fromTasks } of this.#sources.values()) if (fromTasks.has(key)) return true;
    return false;
  }

  #rowsOfApp(key: AppKey): AppRows {
    const rows = [...this.#sources.values()];
    const sources = [...this.#sources].flatMap(([name, { defined }]) => (defined.has(key) ? name : []));
    return {
      defined: rows.flatMap((each) => each.defined.get(key) ?? []),
      sources,
      fromTasks: rows.flatMap((each) => each.fromTasks.get(key) ?? []),
    };
  }

  #rowsOf(source: string): SourceRows {
    const known = this.#sources.get(source);
    if (known !== undefined) return known;
    const rows = new SourceRows();
    this.#sources.set(source, rows);
    return rows;
  }

  /** In reverse order, so that the source that was added first decides. */
  *#listedPlaces(): Generator<[string, Place]> {
    for (const { about } of [...this.#sources.values()].reverse()) yield* Object.entries(about.places ?? {});
  }

  #setAbout(rows: SourceRows, about: About): void {
    const { agents, places } = rows.about;
    rows.about = about;
    if (places !== about.places) this.places.list(this.#listedPlaces());
    if (agents !== about.agents)
      this.addresses.list([...this.#sources.values()].flatMap((each) => each.about.agents ?? []));
  }
}

const NO_TASKS: ReadonlySet<string> = new Set();

/** A source before its first read. */
export function firstDelta({ apps, ...about }: Snapshot): Delta {
  return { upserts: apps, removed: [], about, complete: true, learnedAt: 0 };
}

const NONE: ReadonlySet<string> = new Set();
const NO_APPS: readonly App[] = [];

function isAtOneOf(tasks: App['tasks'], addresses: ReadonlySet<string>): boolean {
  return tasks.some(({ ports }) =>
    ports.some(({ endpoints, local = [] }) =>
      [...endpoints, ...local].some(({ address }) => addresses.has(canonicalText(address))),
    ),
  );
}

/** What one source reports. */
class SourceRows {
  readonly defined = new Map<AppKey, App>();
  readonly fromTasks = new Map<AppKey, App>();
  readonly unknown = new Map<RowKey, UnknownPart>();
  about: About = { rejected: [], warnings: [] };

  get size(): number {
    return this.defined.size + this.fromTasks.size;
  }

  of(key: AppKey): readonly App[] {
    const definition = this.defined.get(key);
    const tasks = this.fromTasks.get(key);
    if (tasks === undefined) return definition === undefined ? NO_APPS : [definition];
    return definition === undefined ? [tasks] : [definition, tasks];
  }

  *all(): Generator<App> {
    yield* this.defined.values();
    yield* this.fromTasks.values();
  }

  set(key: AppKey, app: App): void {
    this.#kind(app.fromTasks === true).set(key, app);
    if (app.unknown === undefined) this.unknown.delete(rowOf(app));
    else this.unknown.set(rowOf(app), { part: app.id, reason: app.unknown });
  }

  delete(key: AppKey, fromTasks: boolean): void {
    this.#kind(fromTasks).delete(key);
    this.unknown.delete(rowKey(key, fromTasks));
  }

  #kind(fromTasks: boolean): Map<AppKey, App> {
    return fromTasks ? this.fromTasks : this.defined;
  }
}
