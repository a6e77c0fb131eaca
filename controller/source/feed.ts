import { same } from '../compare.ts';
import { type App, type AppKey, appKey, type RowKey, rowKey, rowOf } from '../model/app.ts';
import type { About, Delta } from '../model/delta.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Pace } from '../pace.ts';

/** Apps that changed; null for an app that the source no longer has. */
export type Changes = ReadonlyMap<AppKey, App | null>;

/** The ids of tasks, and the apps, that a source named as ended. */
export interface NamedAsEnded {
  readonly tasks: ReadonlySet<string>;
  readonly apps: ReadonlySet<AppKey>;
}

/** The rest of a delta, besides its changes. */
export interface DeltaDetails {
  /** As in `Delta`. */
  readonly complete: boolean;
  readonly learnedAt: number;
  /** As in `Delta`. When set, a removed app counts as missing, not as named. */
  readonly endedTasks?: ReadonlySet<string>;
  /** In complete changes: the apps that a list changed. What any other app lacks, events have named. Defaults to all apps. */
  readonly listed?: ReadonlySet<AppKey>;
  /** Defaults to the last one. */
  readonly about?: About;
}

/**
 * Turns the reads of one source into deltas: keeps the rows that were last published, and publishes those that differ.
 *
 * Of two reads of an app, the one that began later counts, whichever is answered first; a list counts as a read of
 * every app. So a list does not overwrite an app whose own read began after it (even if that found the app gone), and a
 * read or list that began before one already taken is ignored. `begin` numbers the reads; a read that fails is never
 * passed on. A source with one read at a time needs no numbers.
 *
 * Nothing is published before the first list: a single app would look like the source's only one.
 */
export class Feed {
  #rows = new Map<RowKey, App>();
  #about: About | undefined;
  #begun = 0;
  /** Number of the last list taken. */
  #listed = 0;
  /** The last read of each single app that began after the last list. */
  readonly #read = new Map<AppKey, number>();

  /** Whether a list was taken. */
  get isListed(): boolean {
    return this.#about !== undefined;
  }

  /** How many rows the source has. */
  get size(): number {
    return this.#rows.size;
  }

  /** The published state: the sum of all deltas. */
  get snapshot(): Snapshot {
    return { ...(this.#about ?? EMPTY_ABOUT), apps: [...this.#rows.values()] };
  }

  /** The app's definition as last published. */
  find(key: AppKey): App | undefined {
    return this.#rows.get(rowKey(key, false));
  }

  /**
   * The published row if it equals this app, else the app itself. A caller that does this app by app spares `list` the
   * comparison of all rows in one turn.
   */
  known(app: App): App {
    const before = this.#rows.get(rowOf(app));
    return before !== undefined && same(before, app) ? before : app;
  }

  /**
   * Replaces each app in `changes` by its `known` row, yielding to the event loop: `update` compares them in one turn,
   * which takes too long for ten thousand apps of ten tasks each.
   */
  async compareInTurns(changes: Map<AppKey, App | null>, pace: Pace): Promise<void> {
    for (const [key, app] of changes) {
      if (app !== null) changes.set(key, this.known(app));
      await pace.restIfDue();
    }
  }

  /** The number of the last read that was started. */
  get begun(): number {
    return this.#begun;
  }

  /** Starts a read. Returns its number; a later read has a higher one. */
  begin(): number {
    this.#begun += 1;
    return this.#begun;
  }

  /** Takes the source's complete state, found by read number `read`. `ended`: what the source named as ended before. */
  list(
    { apps, ...about }: Snapshot,
    learnedAt: number,
    read = this.begin(),
    ended: NamedAsEnded = NOTHING_ENDED,
  ): Delta {
    const details = { complete: true, learnedAt, ...(ended.tasks.size > 0 && { endedTasks: ended.tasks }) };
    if (read < this.#listed) return { upserts: [], removed: [], ...details };
    this.#listed = read;
    for (const [key, last] of this.#read) if (last < read) this.#read.delete(key);
    const listed = new Map<RowKey, App>();
    for (const app of apps) if (!this.#read.has(appKey(app))) listed.set(rowOf(app), this.known(app));
    for (const [key, app] of this.#rows) if (this.#read.has(appKey(app))) listed.set(key, app);
    const before = this.isListed ? this.#rows : NONE;
    this.#rows = listed;
    const upserts = [...listed].filter(([key, app]) => before.get(key) !== app).map(([, app]) => app);
    const howRemoved = (app: App) => (ended.apps.has(appKey(app)) ? 'named' : 'missing');
    const removed = [...before]
      .filter(([key]) => !listed.has(key))
      .map(([, app]) => removal(app, howRemoved(app)));
    return { upserts, removed, ...details, ...this.#news(about) };
  }

  /**
   * Takes the result of reading one app, as `update` does, unless a later read was already taken.
   *
   * `read`: number of the read. `ended`: the missing tasks that the source named as ended, and the app itself if it is
   * missing (default: all). Returns null before the first list.
   */
  read(
    read: number,
    key: AppKey,
    app: App | null,
    learnedAt: number,
    ended: 'all' | ReadonlySet<string> = 'all',
  ): Delta | null {
    const isLater = read > (this.#read.get(key) ?? this.#listed);
    if (isLater) this.#read.set(key, read);
    const details = { complete: false, learnedAt, ...(ended !== 'all' && { endedTasks: ended }) };
    return this.update(isLater ? new Map([[key, app]]) : new Map(), details);
  }

  /**
   * Takes changes in the order in which they happened; an app replaces all rows with its key. If `complete`, a removed
   * app counts as missing unless events named it (`listed`), else as named by the source. The first complete changes
   * count as a list; returns null before that.
   */
  update(changes: Changes, given: DeltaDetails): Delta | null {
    const { about, listed, ...details } = this.#withNamedTasks(changes, given);
    const isNamed = namedRemovals(details, listed);
    const upserts: App[] = [];
    const removed: Removed[] = [];
    for (const [key, app] of changes) {
      if (app !== null && !same(this.#rows.get(rowOf(app)), app)) upserts.push(app);
      for (const row of this.#rowsOf(key)) {
        if (app !== null && rowOf(row) === rowOf(app)) continue;
        this.#rows.delete(rowOf(row));
        removed.push(removal(row, isNamed(key) ? 'named' : 'missing'));
      }
    }
    for (const app of upserts) this.#rows.set(rowOf(app), app);
    if (this.isListed) return { upserts, removed, ...details, ...(about !== undefined && this.#news(about)) };
    if (!details.complete) return null;
    return {
      upserts: [...this.#rows.values()],
      removed: [],
      ...details,
      ...this.#news(about ?? EMPTY_ABOUT),
    };
  }

  /**
   * Adds the tasks of the apps that events alone changed to `details`, as named; without those whose id an app has too
   * that a list changed.
   */
  #withNamedTasks(changes: Changes, details: DeltaDetails): DeltaDetails {
    const { listed } = details;
    if (listed === undefined) return details;
    const idsOf = (key: AppKey) => this.#rowsOf(key).flatMap(({ tasks }) => tasks.map(({ id }) => id));
    const endedTasks = new Set([...changes.keys()].filter((key) => !listed.has(key)).flatMap(idsOf));
    for (const key of listed) for (const id of idsOf(key)) endedTasks.delete(id);
    return { ...details, endedTasks };
  }

  #rowsOf(key: AppKey): readonly App[] {
    return [false, true].flatMap((fromTasks) => this.#rows.get(rowKey(key, fromTasks)) ?? []);
  }

  #news(about: About): { readonly about?: About } {
    if (same(this.#about, about)) return {};
    this.#about = about;
    return { about };
  }
}

/** Calls `take`, which adds all apps to a map, once; returns them as a snapshot, sorted by key. */
export async function snapshotOf(
  take: (changed: Map<AppKey, App | null>) => Promise<About>,
): Promise<Snapshot> {
  const apps = new Map<AppKey, App | null>();
  const about = await take(apps);
  return { ...about, apps: [...apps.keys()].sort().flatMap((key) => apps.get(key) ?? []) };
}

const NONE: ReadonlyMap<RowKey, App> = new Map();
const NOTHING_ENDED: NamedAsEnded = { tasks: new Set(), apps: new Set() };
const EMPTY_ABOUT: About = { rejected: [], warnings: [] };

/** Whether the removal of an app was named by the source, in changes with these details. */
function namedRemovals(
  { complete, endedTasks }: Omit<DeltaDetails, 'about' | 'listed'>,
  listed: ReadonlySet<AppKey> | undefined,
): (key: AppKey) => boolean {
  if (!complete) return () => endedTasks === undefined;
  return (key) => listed !== undefined && !listed.has(key);
}

type Removed = Delta['removed'][number];

function removal(app: App, how: Removed['how']): Removed {
  return { key: appKey(app), fromTasks: app.fromTasks === true, how };
}
