import { same } from '../../compare.ts';
import type { Slice } from '../../kubernetes/endpoint-slice.ts';
import { fits } from '../../kubernetes/label-selector.ts';
import type { LabelSelector } from '../../kubernetes/marathon-app.ts';
import type { ChangeOrigin } from '../../kubernetes/reflector.ts';
import { MARATHON_APPS, type ObjectName, objectKey } from '../../kubernetes/resources.ts';
import { type UnreadObject, unreadName } from '../../kubernetes/unread.ts';
import { type App, type AppKey, appKey, type Rejection, rowKey } from '../../model/app.ts';
import type { About } from '../../model/delta.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Pace } from '../../pace.ts';
import { tooManyBackends, wouldHaveTooMany } from '../backend-bound.ts';
import { duplicateId } from '../document/convert.ts';
import { withoutDefinition } from '../document/unread.ts';
import { snapshotOf } from '../feed.ts';
import type { LastGood } from '../last-good.ts';
import { SetMap } from '../set-map.ts';
import { type Declaration, withoutPorts } from './declaration.ts';
import { type DeclaredObject, declarationOf } from './object.ts';
import { type ReferenceBook, referencesOf } from './references.ts';
import { plannedTasks, tasksOf } from './tasks.ts';

interface Entry {
  object: DeclaredObject;
  /** The last valid declaration. */
  declaration: Declaration | null;
  /** The app as last built; null before that. */
  app: App | null;
  /** Whether something that the app is built from has changed. */
  isStale: boolean;
  /** The saved app of an object that has not been valid since the start. */
  saved: App | null;
}

/**
 * Joins MarathonApps and EndpointSlices by app. A change costs only the apps that it concerns, however many there are.
 */
export class Catalogue {
  readonly #entries = new Map<string, Entry>();
  /** The objects that declare each app; the oldest one counts. */
  readonly #declaring = new SetMap<AppKey, Entry>();
  readonly #bySelector = new SetMap<string, Entry>();
  readonly #slices = new SetMap<string, Slice>();
  /** The apps that changed since the last `take`: `list` where a list had a part in it. */
  readonly #changed = new Map<AppKey, ChangeOrigin>();
  /** Why an object gives no app, by object. */
  readonly #rejected = new Map<string, Aged & { readonly why: Rejection }>();
  /** The objects of each kind that cannot be read. */
  readonly #unread = new Map<string, readonly UnreadObject[]>();
  /** null when the rejections changed. */
  #about: About | null = null;
  readonly #references: ReferenceBook | undefined;
  /** Objects that were not valid at the first `take`, and that what was saved lacks: they have declared nothing yet. */
  readonly #notSaved = new Set<string>();
  /** null after the first `take`. */
  #lastGood: LastGood | null;

  /** `references` records which references of each object were found. `lastGood` is for the first `take`. */
  constructor(references?: ReferenceBook, lastGood: LastGood | null = null) {
    this.#references = references;
    this.#lastGood = lastGood;
  }

  /** Applies a change of an object. Returns false when only its metadata or its status changed. */
  objectChanged(
    before: DeclaredObject | null,
    now: DeclaredObject | null,
    origin: ChangeOrigin = 'list',
  ): boolean {
    const key = objectKey((now ?? before) as ObjectName);
    const entry = this.#entries.get(key) ?? null;
    if (entry !== null && now !== null && isSameSpec(entry.object, now)) return false;
    const known = entry?.declaration ?? null;
    if (entry !== null && known !== null) this.#unlink(entry, known, origin);
    if (now === null) {
      this.#entries.delete(key);
      if (entry !== null) this.#reject(entry.object, null);
      this.#references?.note(key, null);
      return true;
    }
    const usable = 'selector' in now.declaration ? now.declaration : known;
    const next = entry ?? { object: now, declaration: usable, app: null, isStale: true, saved: null };
    // A different app under the same object name has nothing in common with the old one.
    if (known === null || usable === null || keyOf(known) !== keyOf(usable)) next.app = null;
    next.object = now;
    next.declaration = usable;
    if ('selector' in now.declaration) next.saved = null;
    next.isStale = true;
    this.#entries.set(key, next);
    if (usable !== null) this.#link(next, usable, origin);
    else if (!('selector' in now.declaration)) this.#reject(now, now.declaration);
    return true;
  }

  /** Replaces the objects of a kind that cannot be read; what was known of them stays. */
  setUnread(kind: string, objects: readonly UnreadObject[]): void {
    this.#unread.set(kind, objects);
    this.#about = null;
  }

  /** Applies a change of an EndpointSlice. Returns false when no object selects it. */
  sliceChanged(before: Slice | null, now: Slice | null, origin: ChangeOrigin = 'list'): boolean {
    let concerns = false;
    for (const slice of [before, now]) {
      if (slice === null) continue;
      for (const anchor of anchorsOf(slice.namespace, slice.labels)) {
        if (slice === now) this.#slices.add(anchor, slice);
        else this.#slices.delete(anchor, slice);
        for (const entry of this.#bySelector.get(anchor)) {
          concerns = true;
          entry.isStale = true;
          if (entry.declaration !== null) this.#note(entry.declaration, origin);
        }
      }
    }
    return concerns;
  }

  /**
   * Adds to `changed` the apps that changed since the last call, and those that change meanwhile; null for an app that
   * no object declares any more. Adds to `listed` those that a list changed: what such an app lacks now, no event has
   * named. Yields to the event loop. Resolves with everything not about a single app: the same object until it changes.
   */
  async take(changed: Map<AppKey, App | null>, pace: Pace, listed = new Set<AppKey>()): Promise<About> {
    if (this.#lastGood !== null) await this.#recall(this.#lastGood);
    this.#lastGood = null;
    // The loop includes those that are added meanwhile.
    for (const [key, origin] of this.#changed) {
      this.#changed.delete(key);
      if (origin === 'list') listed.add(key);
      changed.set(key, this.#appOf(key));
      await pace.restIfDue();
    }
    this.#about ??= this.#makeAbout();
    return this.#about;
  }

  #makeAbout(): About {
    const rejected = [...this.#rejected.values()].sort(byAge);
    const unknown = rejected
      .filter(({ object }) => this.#entries.get(objectKey(object))?.declaration === null)
      .map(({ object, why }) => ({ part: partOf(object), reason: why.reason }))
      .filter(({ part }) => !this.#notSaved.has(part));
    const unread = [...this.#unread].flatMap(([kind, objects]) =>
      objects.map((object) => ({ ...object, part: unreadName(kind, object) })),
    );
    unknown.push(
      ...unread.filter(({ isUnknown }) => isUnknown).map(({ part, reason }) => ({ part, reason })),
    );
    return {
      rejected: [
        ...rejected.map(({ why }) => why),
        ...unread.map(({ part, reason }) => ({ app: part, at: '', value: '', reason })),
      ],
      warnings: [],
      ...(unknown.length > 0 && { unknown }),
    };
  }

  /** The complete state. Call it instead of `take`, not after it. */
  snapshot(pace: Pace): Promise<Snapshot> {
    return snapshotOf((changed) => this.take(changed, pace));
  }

  /**
   * Restores what an invalid object declared before the start, from its saved app, as far as its endpoints still exist.
   */
  async #recall(lastGood: LastGood): Promise<void> {
    const lost = () => this.#entries.values().filter(({ declaration }) => declaration === null);
    const isUnread = this.#unread.values().some((objects) => objects.some(({ isUnknown }) => isUnknown));
    if (!isUnread && !lost().some(() => true)) return;
    await lastGood.load();
    for (const entry of lost()) {
      const { identity } = entry.object;
      const saved = identity && lastGood.find(rowKey(appKey(identity), false));
      if (!lastGood.isUnknown(partOf(entry.object))) this.#notSaved.add(partOf(entry.object));
      if (identity === undefined || saved === undefined) continue;
      entry.saved = entry.app = saved;
      entry.declaration = declarationOf(saved, identity.selector);
      this.#reject(entry.object, null);
      this.#link(entry, entry.declaration, 'list');
    }
  }

  #note(declaration: Declaration, origin: ChangeOrigin): void {
    const key = keyOf(declaration);
    if (origin === 'list' || !this.#changed.has(key)) this.#changed.set(key, origin);
  }

  #link(entry: Entry, declaration: Declaration, origin: ChangeOrigin): void {
    this.#bySelector.add(anchorOf(entry.object.namespace, declaration.selector), entry);
    this.#declaring.add(keyOf(declaration), entry);
    this.#note(declaration, origin);
  }

  #unlink(entry: Entry, declaration: Declaration, origin: ChangeOrigin): void {
    this.#bySelector.delete(anchorOf(entry.object.namespace, declaration.selector), entry);
    this.#declaring.delete(keyOf(declaration), entry);
    this.#note(declaration, origin);
  }

  #appOf(key: AppKey): App | null {
    const [first, ...others] = [...this.#declaring.get(key)].sort(byAge);
    for (const entry of others) {
      const app = this.#make(entry);
      const name = objectKey(entry.object);
      if (app !== null) this.#reject(entry.object, duplicateId(app.id, `MarathonApp ${name}`));
    }
    if (first === undefined) return null;
    this.#reject(first.object, null);
    return this.#make(first);
  }

  #make(entry: Entry): App | null {
    const { declaration, app: before, object, saved } = entry;
    if (declaration === null || !entry.isStale) return before;
    const { id, kind, framework, ports, labelsPerTask, warnings } = declaration;
    const slices = this.#slicesOf(object, declaration);
    const early = wouldHaveTooMany(declaration, plannedTasks(declaration, slices));
    const served = early === null ? declaration : withoutPorts(declaration);
    const app: App = {
      id,
      kind,
      ...(labelsPerTask && { labelsPerTask }),
      framework,
      ports: ports.map(({ port }) => port),
      tasks: tasksOf(served, slices, before ?? undefined, saved ?? undefined),
      // An invalid object keeps its last valid declaration.
      rejected: 'selector' in object.declaration ? declaration.rejected : [object.declaration],
      warnings,
    };
    const refused = early ?? tooManyBackends(app);
    entry.app = refused === null ? app : withoutDefinition(app, before ?? undefined, refused);
    entry.isStale = false;
    this.#references?.note(objectKey(object), referencesOf(declaration, object.namespace, slices));
    return entry.app;
  }

  /** null when the object gives an app, or is gone. */
  #reject(object: DeclaredObject, why: Rejection | null): void {
    const key = objectKey(object);
    if (same(this.#rejected.get(key)?.why, why ?? undefined)) return;
    if (why === null) this.#rejected.delete(key);
    else this.#rejected.set(key, { object, why });
    this.#about = null;
  }

  #slicesOf({ namespace }: ObjectName, { selector }: Declaration): readonly Slice[] {
    return [...this.#slices.get(anchorOf(namespace, selector))].filter(({ labels }) =>
      fits(selector, labels),
    );
  }
}

/** Names an object as a part of the source. */
function partOf(object: ObjectName): string {
  return `${MARATHON_APPS.kind} ${objectKey(object)}`;
}

function keyOf({ framework, id }: Declaration): AppKey {
  return appKey({ framework, id });
}

/**
 * The API server increments `generation` with each change of the spec, but not with the frequent writes of the status.
 */
function isSameSpec(before: DeclaredObject, { uid, generation }: DeclaredObject): boolean {
  return generation !== undefined && before.generation === generation && before.uid === uid;
}

interface Aged {
  readonly object: DeclaredObject;
}

function byAge({ object: a }: Aged, { object: b }: Aged): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return objectKey(a) < objectKey(b) ? -1 : 1;
}

/** Stands for a selector that requires no label of a fixed value. */
const ANY = '';

/**
 * The namespace and one label under which a selector is indexed, so that a change concerns few of thousands of objects.
 */
function anchorOf(namespace: string, { matchLabels = {} }: LabelSelector): string {
  const [first] = Object.entries(matchLabels);
  return `${namespace} ${first === undefined ? ANY : `${first[0]}=${first[1]}`}`;
}

/** All anchors that may match these labels. */
function anchorsOf(namespace: string, labels: Readonly<Record<string, string>>): readonly string[] {
  return [ANY, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].map(
    (anchor) => `${namespace} ${anchor}`,
  );
}
