import type { About } from '../../delta.ts';
import type { Slice } from '../../kubernetes/endpoint-slice.ts';
import { fits } from '../../kubernetes/label-selector.ts';
import type { LabelSelector } from '../../kubernetes/marathon-app.ts';
import { type ObjectName, objectKey } from '../../kubernetes/resources.ts';
import { type App, type AppKey, appKey, type Rejection, rowKey, type Snapshot } from '../../model.ts';
import type { Pace } from '../../pace.ts';
import { same } from '../../same.ts';
import { SetMap } from '../../set-map.ts';
import { tooManyBackends, wouldHaveTooMany } from '../backend-bound.ts';
import { duplicateId } from '../document/convert.ts';
import { withoutDefinition } from '../document/unread.ts';
import { snapshotOf } from '../feed.ts';
import type { LastGood } from '../last-good.ts';
import type { Declaration } from './declaration.ts';
import { type DeclaredObject, declarationOf } from './object.ts';
import { type ReferenceBook, referencesOf } from './references.ts';
import { tasksOf } from './tasks.ts';

interface Entry {
  object: DeclaredObject;
  /** The last declaration that could be used. */
  declaration: Declaration | null;
  /** As it was made last; null where it was not yet. */
  app: App | null;
  /** Something that the app is made of changed. */
  isStale: boolean;
  /** Its app as it was saved, where the object could not be used since the start. */
  saved: App | null;
}

/**
 * Brings MarathonApps and EndpointSlices together, by app: a change costs as much as the apps that it concerns, however
 * many there are.
 */
export class Catalogue {
  readonly #entries = new Map<string, Entry>();
  /** Those that declare an app; of several the oldest counts. */
  readonly #declaring = new SetMap<AppKey, Entry>();
  readonly #bySelector = new SetMap<string, Entry>();
  readonly #slices = new SetMap<string, Slice>();
  readonly #changed = new Set<AppKey>();
  /** Why objects give no app, by object. */
  readonly #rejected = new Map<string, Aged & { readonly why: Rejection }>();
  /** null: what is rejected changed. */
  #about: About | null = null;
  readonly #references: ReferenceBook | undefined;
  /** null: something was taken already. */
  #lastGood: LastGood | null;

  /** `references`: where it is noted what was found of each object. `lastGood`: for what is taken first. */
  constructor(references?: ReferenceBook, lastGood: LastGood | null = null) {
    this.#references = references;
    this.#lastGood = lastGood;
  }

  /** Applies a change of an object; false: it concerns its metadata or its status alone. */
  objectChanged(before: DeclaredObject | null, now: DeclaredObject | null): boolean {
    const key = objectKey((now ?? before) as ObjectName);
    const entry = this.#entries.get(key) ?? null;
    if (entry !== null && now !== null && isSameSpec(entry.object, now)) return false;
    const known = entry?.declaration ?? null;
    if (entry !== null && known !== null) this.#unlink(entry, known);
    if (now === null) {
      this.#entries.delete(key);
      if (entry !== null) this.#reject(entry.object, null);
      this.#references?.note(key, null);
      return true;
    }
    const usable = 'selector' in now.declaration ? now.declaration : known;
    const next = entry ?? { object: now, declaration: usable, app: null, isStale: true, saved: null };
    // Another app of the same object name has nothing in common with the one before.
    if (known === null || usable === null || keyOf(known) !== keyOf(usable)) next.app = null;
    next.object = now;
    next.declaration = usable;
    if ('selector' in now.declaration) next.saved = null;
    next.isStale = true;
    this.#entries.set(key, next);
    if (usable !== null) this.#link(next, usable);
    else if (!('selector' in now.declaration)) this.#reject(now, now.declaration);
    return true;
  }

  /** Applies a change of an EndpointSlice; false: it concerns no object. */
  sliceChanged(before: Slice | null, now: Slice | null): boolean {
    let concerns = false;
    for (const slice of [before, now]) {
      if (slice === null) continue;
      for (const anchor of anchorsOf(slice.namespace, slice.labels)) {
        if (slice === now) this.#slices.add(anchor, slice);
        else this.#slices.delete(anchor, slice);
        for (const entry of this.#bySelector.get(anchor)) {
          concerns = true;
          entry.isStale = true;
          if (entry.declaration !== null) this.#changed.add(keyOf(entry.declaration));
        }
      }
    }
    return concerns;
  }

  /**
   * Puts into `changed` what became of the apps that something concerned since this was last called, in turns of a few
   * milliseconds, with the changes that come meanwhile; null: nothing declares it any more. Resolves with what is not about an
   * app, the same object as long as that is as it was.
   */
  async take(changed: Map<AppKey, App | null>, pace: Pace): Promise<About> {
    if (this.#lastGood !== null) await this.#recall(this.#lastGood);
    this.#lastGood = null;
    // Those that are added meanwhile come too.
    for (const key of this.#changed) {
      this.#changed.delete(key);
      changed.set(key, this.#appOf(key));
      await pace.restIfDue();
    }
    this.#about ??= {
      rejected: [...this.#rejected.values()].sort(byAge).map(({ why }) => why),
      warnings: [],
    };
    return this.#about;
  }

  /** Everything, where `take` was not called before. */
  snapshot(pace: Pace): Promise<Snapshot> {
    return snapshotOf((changed) => this.take(changed, pace));
  }

  /** What an object that cannot be used declared before the start, its app shows: of endpoints that are there still. */
  async #recall(lastGood: LastGood): Promise<void> {
    const lost = () => this.#entries.values().filter(({ declaration }) => declaration === null);
    if (!lost().some(() => true)) return;
    await lastGood.load();
    for (const entry of lost()) {
      const { identity } = entry.object;
      const saved = identity && lastGood.find(rowKey(appKey(identity), false));
      if (identity === undefined || saved === undefined) continue;
      entry.saved = entry.app = saved;
      entry.declaration = declarationOf(saved, identity.selector);
      this.#reject(entry.object, null);
      this.#link(entry, entry.declaration);
    }
  }

  #link(entry: Entry, declaration: Declaration): void {
    const key = keyOf(declaration);
    this.#bySelector.add(anchorOf(entry.object.namespace, declaration.selector), entry);
    this.#declaring.add(key, entry);
    this.#changed.add(key);
  }

  #unlink(entry: Entry, declaration: Declaration): void {
    const key = keyOf(declaration);
    this.#bySelector.delete(anchorOf(entry.object.namespace, declaration.selector), entry);
    this.#declaring.delete(key, entry);
    this.#changed.add(key);
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
    const places = slices.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
    const early = declaration.versions === null ? wouldHaveTooMany(declaration, ports, places) : null;
    const served = early === null ? declaration : { ...declaration, ports: [] };
    const app: App = {
      id,
      kind,
      ...(labelsPerTask && { labelsPerTask }),
      framework,
      ports: ports.map(({ port }) => port),
      tasks: tasksOf(served, slices, before ?? undefined, saved ?? undefined),
      // The object as it is now cannot be used: its last valid declaration stays.
      rejected: 'selector' in object.declaration ? declaration.rejected : [object.declaration],
      warnings,
    };
    const refused = early ?? tooManyBackends(app);
    entry.app = refused === null ? app : withoutDefinition(app, before ?? undefined, refused);
    entry.isStale = false;
    this.#references?.note(objectKey(object), referencesOf(declaration, object.namespace, slices));
    return entry.app;
  }

  /** null: it gives an app, or is gone. */
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

function keyOf({ framework, id }: Declaration): AppKey {
  return appKey({ framework, id });
}

/** The server counts each change of a spec, and writes of a status, which come often, are none. */
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

/** Stands for a selector that demands no label of one value. */
const ANY = '';

/** The one label of a namespace by which what a selector fits is looked up, so that a change concerns a few of thousands. */
function anchorOf(namespace: string, { matchLabels = {} }: LabelSelector): string {
  const [first] = Object.entries(matchLabels);
  return `${namespace} ${first === undefined ? ANY : `${first[0]}=${first[1]}`}`;
}

/** All anchors under which something with these labels may be looked up. */
function anchorsOf(namespace: string, labels: Readonly<Record<string, string>>): readonly string[] {
  return [ANY, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].map(
    (anchor) => `${namespace} ${anchor}`,
  );
}
