import { canonicalAddress } from '../address.ts';
import type { About, Delta } from '../delta.ts';
import { type App, type AppKey, appKey, type BackendKey, type Rejection, type Snapshot } from '../model.ts';
import { inSlices } from '../pace.ts';
import { type Pause, withoutPause } from '../pause.ts';
import type { Place } from '../place.ts';
import { same } from '../same.ts';
import { AddressIndex } from './address-index.ts';
import { endedByName } from './ended.ts';
import { type AppRows, listedTasks, mergeRows } from './merge.ts';
import { PlaceIndex } from './place-index.ts';
import { TaskIndex } from './task-index.ts';

/** What a source has named. */
export interface Ended {
  /** Where tasks are that ended, or that serve a VIP no more. */
  readonly endpoints: readonly BackendKey[];
  /** Apps that are gone. */
  readonly apps: readonly App[];
}

/**
 * What all sources report, as rows: one for each source, app and kind (a definition, or what tasks carry). The rows of an
 * app make one app, whichever sources they are from.
 *
 * `apply` takes a delta of a source; `settle` brings apps and indexes up to date with it, which costs what
 * changed; `takeChanged` then returns which apps changed.
 */
export class Inventory {
  readonly #sources = new Map<string, SourceRows>();
  readonly #apps = new Map<AppKey, App>();
  /**
   * Tasks of an app that both kinds of rows have listed. This alone is not in the rows, and a restart forgets it: who rebuilds
   * everything from them needs it too.
   */
  readonly #listed = new Map<AppKey, ReadonlySet<string>>();
  #due = new Set<AppKey>();
  #changed = new Set<AppKey>();
  readonly tasks = new TaskIndex(this.#apps);
  readonly addresses = new AddressIndex(this.#apps);
  readonly places = new PlaceIndex();

  /** What these sources report, each completely. */
  static of(snapshots: readonly Snapshot[]): Inventory {
    const inventory = new Inventory();
    for (const [index, snapshot] of snapshots.entries()) inventory.apply(String(index), firstDelta(snapshot));
    inventory.settle(withoutPause);
    return inventory;
  }

  /** The same, with rests in which others have their turn. */
  static async inSlices(snapshots: readonly Snapshot[]): Promise<Inventory> {
    const inventory = new Inventory();
    for (const [index, snapshot] of snapshots.entries()) inventory.apply(String(index), firstDelta(snapshot));
    await inSlices((pause) => inventory.settle(pause));
    return inventory;
  }

  /** Makes a source known. Where several disagree, that which was added first decides. */
  addSource(name: string): void {
    this.#rowsOf(name);
  }

  /** The apps by key, as of the last `settle`. */
  get apps(): ReadonlyMap<AppKey, App> {
    return this.#apps;
  }

  /** Everything, as one source would report it. */
  toSnapshot(): Snapshot {
    const abouts = [...this.#sources.values()].map(({ about }) => about);
    const listing = abouts.some(({ agents }) => agents !== undefined);
    const agents = [...new Set(abouts.flatMap((about) => about.agents ?? []))].sort();
    const { rejected, warnings } = this;
    return { apps: [...this.#apps.values()], rejected, warnings, ...(listing && { agents }) };
  }

  /** Documents that gave no app at all. */
  get rejected(): readonly Rejection[] {
    return [...this.#sources.values()].flatMap(({ about }) => about.rejected);
  }

  /** What is odd about sources, not about one of their apps. */
  get warnings(): readonly string[] {
    return [...this.#sources.values()].flatMap(({ about }) => about.warnings);
  }

  /** The apps with a task at one of these addresses. Looks at all of them. */
  *appsWithTasksAt(addresses: ReadonlySet<string>): Generator<AppKey> {
    for (const [key, { tasks }] of this.#apps) if (isAtOneOf(tasks, addresses)) yield key;
  }

  /** How many apps one source has. */
  sizeOf(source: string): number {
    return this.#rowsOf(source).size;
  }

  /** What one source reports. */
  saidBy(source: string): Snapshot {
    const rows = this.#rowsOf(source);
    return { ...rows.about, apps: [...rows.all()] };
  }

  /**
   * Takes what one read changed. Returns what of it the source has named.
   */
  apply(source: string, { upserts, removed, about, complete }: Delta): Ended {
    const rows = this.#rowsOf(source);
    const endpoints: BackendKey[] = [];
    const apps: App[] = [];
    const before = new Map<AppKey, readonly App[]>();
    const touch = (key: AppKey) => {
      if (!before.has(key)) before.set(key, rows.of(key));
      this.#due.add(key);
    };
    for (const { key, fromTasks } of removed) {
      touch(key);
      rows.delete(key, fromTasks);
    }
    for (const app of upserts) {
      const key = appKey(app);
      touch(key);
      rows.set(key, app);
    }
    for (const [key, had] of before) {
      const has = rows.of(key);
      this.#noteListed(key);
      endpoints.push(...endedByName(had, has, !complete));
      // What is missing from a list may just have been left out.
      if (!complete && has.length === 0) apps.push(...had);
    }
    if (about !== undefined) this.#setAbout(rows, about);
    return { endpoints, apps };
  }

  /** Brings apps and indexes up to date; true once they are, false where `pause` interrupted it. */
  settle(pause: Pause): boolean {
    for (const key of this.#due) {
      this.#due.delete(key);
      const tasks = this.#merge(key);
      if (pause(1 + tasks) && this.#due.size > 0) return false;
    }
    return true;
  }

  /** The apps that changed, came or went since the last call. */
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
    return {
      defined: rows.flatMap((each) => each.defined.get(key) ?? []),
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

  /** The source that was added first is last, and so decides. */
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

/** A source of which nothing is known yet. */
export function firstDelta({ apps, ...about }: Snapshot): Delta {
  return { upserts: apps, removed: [], about, complete: true, learnedAt: 0 };
}

const NONE: ReadonlySet<string> = new Set();
const NO_APPS: readonly App[] = [];

function isAtOneOf(tasks: App['tasks'], addresses: ReadonlySet<string>): boolean {
  return tasks.some(({ ports }) =>
    ports.some(({ endpoints, local = [] }) =>
      [...endpoints, ...local].some(({ address }) => addresses.has(canonicalAddress(address) ?? address)),
    ),
  );
}

/** What one source reports. */
class SourceRows {
  readonly defined = new Map<AppKey, App>();
  readonly fromTasks = new Map<AppKey, App>();
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
  }

  delete(key: AppKey, fromTasks: boolean): void {
    this.#kind(fromTasks).delete(key);
  }

  #kind(fromTasks: boolean): Map<AppKey, App> {
    return fromTasks ? this.fromTasks : this.defined;
  }
}
