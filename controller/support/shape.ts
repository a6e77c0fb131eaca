/** Filters our own documents field by field. */

import { withoutSecrets } from './free-text.ts';

/** Filters a scalar field; `beside` has all fields of the same object. */
export type Leaf = (text: string, key: string, beside: Readonly<Record<string, unknown>>) => string;
/** The shape of a document: an object has the named fields, or any with `*`; all items of a list have one shape. */
export type Shape = Leaf | readonly [Shape] | { readonly [field: string]: Shape };

/** The shape of a type. A new field of the type is a type error until its filter is decided on. */
export type ShapeOf<T> = [T] extends [readonly (infer Item)[]]
  ? readonly [ShapeOf<Item>]
  : [NonNullable<T>] extends [string | number | boolean]
    ? Leaf
    : { readonly [Field in keyof T]-?: ShapeOf<NonNullable<T[Field]>> };

const HIDDEN = '***';
/** Ids, names, addresses, paths and times: one word without the user and password of a URL. */
const WORD = /^[^\s"'`=?&;,@{}<>]{0,512}$/;

/** An id, a name or an address. A value that does not look like one is filtered as free text. */
export const name: Leaf = (text) => (WORD.test(text) && !text.includes('//') ? text : withoutSecrets(text));

/** An error message, or other text that may quote secrets. */
export const message: Leaf = (text) => withoutSecrets(text);

/** Filters a document by its shape. Leaves out unknown fields, and hides values of another form: they may contain secrets. */
export function filtered(
  value: unknown,
  shape: Shape,
  key = '',
  beside: Readonly<Record<string, unknown>> = {},
): unknown {
  if (value === null || value === undefined) return value;
  if (typeof shape === 'function') {
    if (typeof value === 'object') return HIDDEN;
    const text = String(value);
    const kept = shape(text, key, beside);
    return kept === text ? value : kept;
  }
  if (isList(shape)) {
    const [item] = shape;
    return Array.isArray(value) ? value.map((one) => filtered(one, item, key, beside)) : HIDDEN;
  }
  if (typeof value !== 'object' || Array.isArray(value)) return HIDDEN;
  const fields = { ...value } as Readonly<Record<string, unknown>>;
  const kept = Object.entries(fields).flatMap(([field, one]) => {
    const known = Object.hasOwn(shape, field) ? shape[field] : shape['*'];
    return known === undefined ? [] : [[field, filtered(one, known, field, fields)]];
  });
  return Object.fromEntries(kept);
}

function isList(shape: Exclude<Shape, Leaf>): shape is readonly [Shape] {
  return Array.isArray(shape);
}
