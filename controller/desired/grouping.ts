import type { App } from '../model.ts';

/** Items by key, several to a key, changed by little at a time. */
export interface Grouping<T> {
  /** Each list in order. Lists are replaced, never changed. */
  readonly items: ReadonlyMap<string, readonly T[]>;
  /** Takes some items out and puts others in; returns the keys whose lists are new. */
  exchange(gone: Iterable<T>, come: Iterable<T>): Touched;
}

interface Touched {
  readonly keys: ReadonlySet<string>;
  /** Whether a key has come or gone. */
  readonly keysChanged: boolean;
}

/** Makes an empty grouping; `compare` orders the items of one key, so that the order of insertion does not matter. */
export function createGrouping<T>(keyOf: (item: T) => string, compare: (a: T, b: T) => number): Grouping<T> {
  const items = new Map<string, readonly T[]>();

  const remove = (key: string, item: T): void => {
    const all = items.get(key) ?? [];
    const left = all.toSpliced(all.indexOf(item), 1);
    if (left.length === 0) items.delete(key);
    else items.set(key, left);
  };
  const add = (key: string, item: T): void => {
    const others = items.get(key);
    items.set(key, others === undefined ? [item] : [...others, item].sort(compare));
  };

  return {
    items,
    exchange(gone, come) {
      const had = new Map<string, boolean>();
      const touch = (item: T): string => {
        const key = keyOf(item);
        if (!had.has(key)) had.set(key, items.has(key));
        return key;
      };
      for (const item of gone) remove(touch(item), item);
      for (const item of come) add(touch(item), item);
      const keysChanged = [...had].some(([key, before]) => items.has(key) !== before);
      return { keys: new Set(had.keys()), keysChanged };
    },
  };
}

/**
 * What differs between two lists: items of the one that are not in the other. Lists that are mostly alike, in the
 * same order, cost little.
 */
export function differenceOf<T>(
  before: readonly T[],
  now: readonly T[],
): { gone: readonly T[]; come: readonly T[] } {
  let start = 0;
  while (start < now.length && start < before.length && before[start] === now[start]) start++;
  let tail = 0;
  const shorter = Math.min(before.length, now.length) - start;
  while (tail < shorter && before[before.length - 1 - tail] === now[now.length - 1 - tail]) tail++;

  const left = before.slice(start, before.length - tail);
  const right = now.slice(start, now.length - tail);
  const [inLeft, inRight] = [new Set(left), new Set(right)];
  return { gone: left.filter((item) => !inRight.has(item)), come: right.filter((item) => !inLeft.has(item)) };
}

/**
 * Whether the same apps, by id and framework, stand in the same places: a source tells of them in the same order again,
 * whatever became of each.
 */
export function inSamePlaces(before: readonly App[], now: readonly App[]): boolean {
  if (before === now) return true;
  const isThere = (app: App, at: number): boolean => {
    const had = before[at];
    return app === had || (app.id === had?.id && app.framework === had.framework);
  };
  return before.length === now.length && now.every(isThere);
}
