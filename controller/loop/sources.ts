import { differenceOf } from '../desired/grouping.ts';
import { createMerge } from '../desired/merge.ts';
import { everyEndpoint } from '../desired/occupants.ts';
import { takenBack } from '../desired/offers.ts';
import { type App, appKey, type BackendKey, endpointKey, type Snapshot } from '../model.ts';
import { inTurns } from '../pace.ts';
import type { AppSource, Observer, StateStore } from '../ports.ts';

/** What all sources together say. */
export interface Merged {
  readonly snapshot: Snapshot;
  /**
   * Every source has been read completely since the start. Without that (the last good state of one comes from
   * disk) nothing may be taken away.
   */
  readonly complete: boolean;
}

interface Word {
  readonly snapshot: Snapshot;
  readonly origin: 'source' | 'disk';
}

/** Keeps the last good word of each source. */
export class Sources {
  readonly #words = new Map<string, Word>();
  readonly #merge = createMerge();
  #gone: BackendKey[] = [];
  #goneApps: App[] = [];
  readonly #sources: readonly AppSource[];
  readonly #observer: Observer;

  constructor(sources: readonly AppSource[], observer: Observer) {
    this.#sources = sources;
    this.#observer = observer;
  }

  /** Takes what each source said before a restart, where it has not been read since. */
  async restore(store: StateStore): Promise<void> {
    for (const { name } of this.#sources) {
      const stored = await store.loadSnapshot(name);
      if (stored === null || this.#words.has(name)) continue;
      this.#words.set(name, { snapshot: stored.snapshot, origin: 'disk' });
      const apps = stored.snapshot.apps.length;
      this.#observer.sourceRead(name, { apps, complete: true, fromDiskOf: stored.savedAt });
    }
  }

  /** A source was read well. Before its first complete read a partial one says too little to be used. */
  heard(name: string, snapshot: Snapshot, complete: boolean): void {
    const before = this.#words.get(name);
    if (!complete && before?.origin !== 'source') return;
    if (before !== undefined) this.#gone.push(...saidByName(before.snapshot, snapshot, complete));
    // What is missing from a list may just have been left out.
    if (before !== undefined && !complete) this.#goneApps.push(...appsMissing(before.snapshot, snapshot));
    this.#words.set(name, { snapshot, origin: 'source' });
    this.#observer.sourceRead(name, { apps: snapshot.apps.length, complete, fromDiskOf: null });
  }

  /**
   * Where tasks are of which a source has said by name that they ended, or serve a VIP no more, since this was last asked.
   * Apps that are gone are forgotten with them: whoever wants those calls `takeGoneApps` before.
   */
  takeGone(): readonly BackendKey[] {
    const gone = this.#gone;
    this.#gone = [];
    this.#goneApps = [];
    return gone;
  }

  /** Apps of which a source has said by name that they are gone, since this was last asked. */
  takeGoneApps(): readonly App[] {
    const gone = this.#goneApps;
    this.#goneApps = [];
    return gone;
  }

  /** Whether every source has said something, now or before the restart: no pass may run on less. */
  get known(): boolean {
    return this.#sources.every(({ name }) => this.#words.has(name));
  }

  /**
   * What all sources say at this moment, or null while not all are `known`. What one says while this is pending belongs
   * to the next call: what goes with these words (`takeGone`, `takeGoneApps`) must be taken before it is awaited. A
   * call must have resolved before the next one.
   */
  merged(): Promise<Merged> | null {
    const words = this.#sources.map(({ name }) => this.#words.get(name));
    if (!words.every((word) => word !== undefined)) return null;
    const complete = words.every(({ origin }) => origin === 'source');
    const merging = inTurns(this.#merge(words.map(({ snapshot }) => snapshot)));
    return merging.then((snapshot) => ({ snapshot, complete }));
  }

  /** What each source said by itself, for the disk; what came from there is left out. */
  *fresh(): Generator<readonly [source: string, snapshot: Snapshot]> {
    for (const [name, { snapshot, origin }] of this.#words) if (origin === 'source') yield [name, snapshot];
  }
}

/** Where a source has said by name that something ends; an event is about an app by name, with all that it says of it. */
function saidByName(before: Snapshot, now: Snapshot, complete: boolean): BackendKey[] {
  const gone = saidGone(before, now, complete);
  if (complete) return gone;
  const changed = differenceOf(before.apps, now.apps);
  return [...new Set([...gone, ...takenBack(changed.gone, changed.come)])];
}

/**
 * Where tasks were that are missing now and whose end was told: what an event said of an app is about that app by
 * name, while one that is missing from a list may just have been left out; unless its end had been announced before.
 */
function saidGone(before: Snapshot, now: Snapshot, complete: boolean): BackendKey[] {
  const { gone, come } = differenceOf(before.apps, now.apps);
  const ending = endpointsOf(complete ? gone.map(onlyEnding) : gone);
  if (ending.length === 0) return [];
  const ids = new Set(gone.map(({ id }) => id));
  const keys = new Set(gone.map(appKey));
  const stillIn = (apps: readonly App[]) =>
    new Set(endpointsOf(apps.filter((app) => ids.has(app.id) && keys.has(appKey(app)))));
  const replaced = stillIn(come);
  const left = ending.filter((endpoint) => !replaced.has(endpoint));
  if (left.length === 0) return [];
  // Two apps of one id may share an endpoint. Most changes leave nothing, so few look at all apps.
  const still = stillIn(now.apps);
  return left.filter((endpoint) => !still.has(endpoint));
}

function appsMissing(before: Snapshot, now: Snapshot): readonly App[] {
  const { gone, come } = differenceOf(before.apps, now.apps);
  const replaced = new Set(come.map(appKey));
  const missing = gone.filter((app) => !replaced.has(appKey(app)));
  if (missing.length === 0) return [];
  const there = new Set(now.apps.map(appKey));
  return missing.filter((app) => !there.has(appKey(app)));
}

function onlyEnding(app: App): App {
  return { ...app, tasks: app.tasks.filter(({ state }) => state === 'killing' || state === 'gone') };
}

function endpointsOf(apps: readonly App[]): BackendKey[] {
  return apps.flatMap(({ tasks }) =>
    tasks.flatMap(({ ports }) => ports.flatMap((port) => everyEndpoint(port).map(endpointKey))),
  );
}
