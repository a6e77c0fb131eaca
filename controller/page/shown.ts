/**
 * What becomes text in the browser: what of it a reader would not see, or would see in another order, is shown by its code.
 * A field to type in has what it has.
 */

import { visibleInJson } from '../visible.ts';

/** Children of an element: texts, also in lists. */
export function shown(value: unknown): unknown {
  if (typeof value === 'string') return visibleInJson(value);
  return Array.isArray(value) ? value.map(shown) : value;
}

/** Attributes that a browser shows, or a screen reader reads. */
const READ: ReadonlySet<string> = new Set(['title', 'aria-label']);

export function shownProps(props: object | null): object | null {
  const entries = Object.entries(props ?? {});
  if (!entries.some(([name]) => READ.has(name))) return props;
  return Object.fromEntries(entries.map(([name, value]) => [name, READ.has(name) ? shown(value) : value]));
}
