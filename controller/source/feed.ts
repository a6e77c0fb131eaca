import type { About, Delta } from '../delta.ts';
import { type App, type AppKey, appKey, type RowKey, rowKey, rowOf, type Snapshot } from '../model.ts';
import type { Pace } from '../pace.ts';
import { same } from '../same.ts';

/** Apps that changed; null: the source does not have the app any more. */
export type Changes = ReadonlyMap<AppKey, App | null>;

/** The rest of a delta, beside its changes. */
export interface DeltaDetails {
  /** As in `Delta`. */
  readonly complete: boolean;
  readonly learnedAt: number;
  /** As in `Delta`. An app that is gone is missing where it is given. */
  readonly endedTasks?: ReadonlySet<string>;
  /** Absent: as it was. */
  readonly about?: About;
}

/**
 * Turns what one source reads into deltas: keeps the rows that were published last, and publishes what differs in value.
 *
 * Of two reads of an app the one that began later counts, whichever is answered first, and a list is a read of every app. So
 * a list that began before an app was read by itself leaves it as that read found it, also gone; a list that began before one
 * that was taken is stale; and so is a read of an app that began before a list or another read of it that was taken.
 * `begin` numbers the reads; one that failed is just not handed in. A source that makes one read at a time needs no numbers.
 *
 * Nothing is published before the first list: one app by itself would look like the only one that there is.
 */
export class Feed {
  #rows = new Map<RowKey, App>();
  #about: About | undefined;
  #begun = 0;
  /** The list that was taken last. */
  #listed = 0;
  /** The last read of each app by itself that was taken, where that began after the list. */
  readonly #read = new Map<AppKey, number>();

  /** Whether there was a list. */
  get isListed(): boolean {
    return this.#about !== undefined;
  }

  /** How many rows the source has. */
  get size(): number {
    return this.#rows.size;
  }

  /** Everything that was published, as the deltas add up. */
  get snapshot(): Snapshot {
    return { ...(this.#about ?? EMPTY_ABOUT), apps: [...this.#rows.values()] };
  }

  /** The definition of an app as it was published last. */
  find(key: AppKey): App | undefined {
    return this.#rows.get(rowKey(key, false));
  }

  /**
   * The app itself, or as it was published last where that is equal: one that most of a list goes through, app by app, costs
   * `list` no comparison of it all at once.
   */
  known(app: App): App {
    const before = this.#rows.get(rowOf(app));
    return before !== undefined && same(before, app) ? before : app;
  }

  /**
   * Replaces each app in `changes` by its `known` one, in turns of a few milliseconds: `update` compares them in one turn, and ten
   * thousand apps of ten tasks are more than that.
   */
  async compareInTurns(changes: Map<AppKey, App | null>, pace: Pace): Promise<void> {
    for (const [key, app] of changes) {
      if (app !== null) changes.set(key, this.known(app));
      await pace.restIfDue();
    }
  }

  /** A read begins. Returns its number, the higher the later. */
  begin(): number {
    this.#begun += 1;
    return this.#begun;
  }

  /** Takes everything that the source has; `read`: the number of the read that found it. */
  list({ apps, ...about }: Snapshot, learnedAt: number, read = this.begin()): Delta {
    const details = { complete: true, learnedAt };
    if (read < this.#listed) return { upserts: [], removed: [], ...details };
    this.#listed = read;
    for (const [key, last] of this.#read) if (last < read) this.#read.delete(key);
    const listed = new Map<RowKey, App>();
    for (const app of apps) if (!this.#read.has(appKey(app))) listed.set(rowOf(app), this.known(app));
    for (const [key, app] of this.#rows) if (this.#read.has(appKey(app))) listed.set(key, app);
    const before = this.isListed ? this.#rows : NONE;
    this.#rows = listed;
    const upserts = [...listed].filter(([key, app]) => before.get(key) !== app).map(([, app]) => app);
    const removed = [...before].filter(([key]) => !listed.has(key)).map(([, app]) => removal(app, 'missing'));
    return { upserts, removed, ...details, ...this.#news(about) };
  }

  /**
   * Takes what a read of one app found: what `update` does, unless a later read was taken already. `read`: the number of the
   * read. `ended`: which tasks that are missing were named as ended (default: all), and the app itself when it is missing.
   * null where there was no list.
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
   * Takes changes in the order in which they happened; an app replaces all rows of its key. Where `complete`, an
   * app that is gone is missing, else the source named it. The first complete ones count as a list; null before that.
   */
  update(changes: Changes, { about, ...details }: DeltaDetails): Delta | null {
    const how = details.complete || details.endedTasks !== undefined ? 'missing' : 'named';
    const upserts: App[] = [];
    const removed: Removed[] = [];
    for (const [key, app] of changes) {
      if (app !== null && !same(this.#rows.get(rowOf(app)), app)) upserts.push(app);
      for (const row of this.#rowsOf(key)) {
        if (app !== null && rowOf(row) === rowOf(app)) continue;
        this.#rows.delete(rowOf(row));
        removed.push(removal(row, how));
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

  #rowsOf(key: AppKey): readonly App[] {
    return [false, true].flatMap((fromTasks) => this.#rows.get(rowKey(key, fromTasks)) ?? []);
  }

  #news(about: About): { readonly about?: About } {
    if (same(this.#about, about)) return {};
    this.#about = about;
    return { about };
  }
}

/** The first answer of a function that puts all apps that changed into a map, as a snapshot, sorted by app. */
export async function snapshotOf(
  take: (changed: Map<AppKey, App | null>) => Promise<About>,
): Promise<Snapshot> {
  const apps = new Map<AppKey, App | null>();
  const about = await take(apps);
  return { ...about, apps: [...apps.keys()].sort().flatMap((key) => apps.get(key) ?? []) };
}

const NONE: ReadonlyMap<RowKey, App> = new Map();
const EMPTY_ABOUT: About = { rejected: [], warnings: [] };

type Removed = Delta['removed'][number];

function removal(app: App, how: Removed['how']): Removed {
  return { key: appKey(app), fromTasks: app.fromTasks === true, how };
}
