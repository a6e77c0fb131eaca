import type { Slice } from '../../kubernetes/endpoint-slice.ts';
import { fits } from '../../kubernetes/label-selector.ts';
import { type ObjectName, objectKey } from '../../kubernetes/resources.ts';
import type { App, Rejection, Snapshot } from '../../model.ts';
import type { Pace } from '../../pace.ts';
import { givenTwice } from '../document/convert.ts';
import type { Declaration } from './declaration.ts';
import { anchorOf, anchorsOf, LabelIndex } from './label-index.ts';
import { type ReferenceBook, referencesOf } from './references.ts';
import { tasksOf } from './tasks.ts';

/** A MarathonApp as it is kept: what it declares, or why it cannot be used. */
export interface DeclaredObject extends ObjectName {
  readonly resourceVersion: string;
  /** RFC 3339: of two objects that declare one app the older one counts. */
  readonly createdAt: string;
  readonly uid: string | undefined;
  /** The same as long as its spec is. */
  readonly generation: number | undefined;
  readonly declaration: Declaration | Rejection;
}

interface Entry {
  object: DeclaredObject;
  /** The last declaration that could be used. */
  declaration: Declaration | null;
  app: App | null;
}

/**
 * Brings MarathonApps and EndpointSlices together, and keeps what came of each: a change costs as much as the apps
 * that it concerns.
 */
export class Catalogue {
  readonly #entries = new Map<string, Entry>();
  readonly #bySelector = new LabelIndex<Entry>();
  readonly #slices = new LabelIndex<Slice>();
  /** Those of which the app is to be made anew. */
  readonly #dirty = new Set<Entry>();
  #inOrder: readonly Entry[] | null = null;
  readonly #references: ReferenceBook | undefined;

  /** `references`: where it is noted what was found of each object. */
  constructor(references?: ReferenceBook) {
    this.#references = references;
  }

  /** Takes note of a change of an object; false: it concerns its metadata or its status alone. */
  objectChanged(before: DeclaredObject | null, now: DeclaredObject | null): boolean {
    const key = objectKey((now ?? before) as ObjectName);
    const entry = this.#entries.get(key) ?? null;
    if (entry !== null && now !== null && isSameSpec(entry.object, now)) return false;
    if (entry?.declaration) {
      this.#bySelector.remove(entry.object.namespace, [anchorOf(entry.declaration.selector)], entry);
    }
    this.#inOrder = null;
    if (now === null) {
      this.#entries.delete(key);
      this.#references?.note(key, null);
      return true;
    }
    const usable = 'selector' in now.declaration ? now.declaration : (entry?.declaration ?? null);
    const next = entry ?? { object: now, declaration: usable, app: null };
    // Another app of the same object name has nothing in common with the one before.
    if (next.declaration?.id !== usable?.id || next.declaration?.framework !== usable?.framework)
      next.app = null;
    next.object = now;
    next.declaration = usable;
    this.#dirty.add(next);
    this.#entries.set(key, next);
    if (usable !== null) this.#bySelector.add(now.namespace, [anchorOf(usable.selector)], next);
    return true;
  }

  /** Takes note of a change of an EndpointSlice; false: it concerns no object. */
  sliceChanged(before: Slice | null, now: Slice | null): boolean {
    let concerns = false;
    for (const slice of [before, now]) {
      if (slice === null) continue;
      const anchors = anchorsOf(slice.labels);
      if (slice === now) this.#slices.add(slice.namespace, anchors, slice);
      else this.#slices.remove(slice.namespace, anchors, slice);
      for (const anchor of anchors) {
        for (const entry of this.#bySelector.find(slice.namespace, anchor)) {
          concerns = true;
          this.#dirty.add(entry);
        }
      }
    }
    return concerns;
  }

  /**
   * What all of it says, in turns of a few milliseconds, with the changes that come meanwhile. An app that nothing
   * concerned is the same object again.
   */
  async snapshot(pace: Pace): Promise<Snapshot> {
    while (this.#dirty.size > 0) {
      for (const entry of this.#dirty) {
        this.#dirty.delete(entry);
        this.#make(entry);
        await pace.restIfDue();
      }
    }
    this.#inOrder ??= [...this.#entries.values()].sort(byAge);
    const apps = new Map<string, App>();
    const rejected: Rejection[] = [];
    for (const entry of this.#inOrder) {
      const { app } = entry;
      if (app === null) {
        if (!('selector' in entry.object.declaration)) rejected.push(entry.object.declaration);
        continue;
      }
      const key = `${app.framework} ${app.id}`;
      if (apps.has(key)) rejected.push(givenTwice(app.id, `MarathonApp ${objectKey(entry.object)}`));
      else apps.set(key, app);
    }
    return { apps: [...apps.values()], rejected, warnings: [] };
  }

  #make(entry: Entry): void {
    const { declaration, app: before } = entry;
    if (declaration === null) return;
    const { id, kind, framework, ports, labelsPerTask, warnings } = declaration;
    const slices = this.#slicesOf(entry, declaration);
    entry.app = {
      id,
      kind,
      ...(labelsPerTask && { labelsPerTask }),
      framework,
      ports: ports.map(({ port }) => port),
      tasks: tasksOf(declaration, slices, before ?? undefined),
      // What the object says now cannot be used: what it last said stays.
      rejected: 'selector' in entry.object.declaration ? declaration.rejected : [entry.object.declaration],
      warnings,
    };
    const { object } = entry;
    if (this.#entries.get(objectKey(object)) === entry)
      this.#references?.note(objectKey(object), referencesOf(declaration, object.namespace, slices));
  }

  #slicesOf({ object: { namespace } }: Entry, { selector }: Declaration): readonly Slice[] {
    return [...this.#slices.find(namespace, anchorOf(selector))].filter(({ labels }) =>
      fits(selector, labels),
    );
  }
}

/** The server counts each change of a spec, and writes of a status, which come often, are none. */
function isSameSpec(before: DeclaredObject, { uid, generation }: DeclaredObject): boolean {
  return generation !== undefined && before.generation === generation && before.uid === uid;
}

function byAge({ object: a }: Entry, { object: b }: Entry): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return objectKey(a) < objectKey(b) ? -1 : 1;
}
