/**
 * What becomes text in the browser: what of it a reader would not see, or would see in another order, is shown by its code.
 * A field to type in has what it has.
 */

import { visibleInJson } from '../visible.ts';

/** An element as Preact makes it, or a text: then its type is null and its props are the text. */
interface Made {
  readonly type: unknown;
  props: unknown;
}

/** Attributes that a browser shows, or a screen reader reads. */
const READ = ['title', 'aria-label'] as const;

/** Makes what is read of an element, or of a text, visible. Preact calls it for each of them, as its `options.vnode`. */
export function showVisibly(made: Made): void {
  if (made.type === null) made.props = visibleText(made.props);
  else if (typeof made.type === 'string') showAttributes(made.props as Record<string, unknown>);
}

function showAttributes(props: Record<string, unknown>): void {
  for (const name of READ) if (name in props) props[name] = visibleText(props[name]);
}

function visibleText(text: unknown): unknown {
  return typeof text === 'string' ? visibleInJson(text) : text;
}
