/**
 * Escapes characters that a reader would not see, or that would change the order of the text. Values of input fields are
 * left alone.
 */

import { visibleInJson } from '../text/visible.ts';

/** An element as Preact creates it, or a text: then its type is null and its props are the text. */
interface Node {
  readonly type: unknown;
  props: unknown;
}

/** Attributes that a browser shows, or a screen reader reads. */
const READ = ['title', 'aria-label'] as const;

/** Escapes a text, or the attributes of an element. Preact calls it for each of them, as `options.vnode`. */
export function escapeNode(node: Node): void {
  if (node.type === null) node.props = visibleText(node.props);
  else if (typeof node.type === 'string') showAttributes(node.props as Record<string, unknown>);
}

function showAttributes(props: Record<string, unknown>): void {
  for (const name of READ) if (name in props) props[name] = visibleText(props[name]);
}

function visibleText(text: unknown): unknown {
  return typeof text === 'string' ? visibleInJson(text) : text;
}
