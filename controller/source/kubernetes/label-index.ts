import type { LabelSelector } from '../../kubernetes/marathon-app.ts';

/** Finds things of a namespace by one label, so that a change concerns a few of thousands and not each. */
export class LabelIndex<T> {
  readonly #places = new Map<string, Set<T>>();

  add(namespace: string, anchors: readonly string[], item: T): void {
    for (const anchor of anchors) {
      const place = `${namespace} ${anchor}`;
      const items = this.#places.get(place) ?? new Set();
      this.#places.set(place, items.add(item));
    }
  }

  remove(namespace: string, anchors: readonly string[], item: T): void {
    for (const anchor of anchors) {
      const place = `${namespace} ${anchor}`;
      const items = this.#places.get(place);
      items?.delete(item);
      if (items?.size === 0) this.#places.delete(place);
    }
  }

  find(namespace: string, anchor: string): Iterable<T> {
    return this.#places.get(`${namespace} ${anchor}`) ?? [];
  }
}

/** Stands for a selector that demands no label of one value. */
const ANY = '';

/** The label by which what a selector fits is looked up. */
export function anchorOf({ matchLabels = {} }: LabelSelector): string {
  const [first] = Object.entries(matchLabels);
  return first === undefined ? ANY : `${first[0]}=${first[1]}`;
}

/** All anchors under which something with these labels may be looked up. */
export function anchorsOf(labels: Readonly<Record<string, string>>): readonly string[] {
  return [ANY, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)];
}
