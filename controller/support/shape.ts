/** Documents of our own, filtered by what each of their fields may hold. */

import { withoutSecrets } from './free-text.ts';

/** What a field of one text, number or truth value becomes; `beside` are the fields of the same object. */
export type Leaf = (text: string, key: string, beside: Readonly<Record<string, unknown>>) => string;
/** An object has the fields that are named here, or, with `*`, any; a list has one shape for all items. */
export type Shape = Leaf | readonly [Shape] | { readonly [field: string]: Shape };

/** The shape that a document of a type must have: a new field of the type is a type error until it is decided on. */
export type ShapeOf<T> = [T] extends [readonly (infer Item)[]]
  ? readonly [ShapeOf<Item>]
  : [NonNullable<T>] extends [string | number | boolean]
    ? Leaf
    : { readonly [Field in keyof T]-?: ShapeOf<NonNullable<T[Field]>> };

const HIDDEN = '***';
/** Ids, names, addresses, paths, times: one word, and no user or password of a URL. */
const WORD = /^[^\s"'`=?&;,@{}<>]{0,512}$/;

/** An id, a name or an address. What is none, although it should be, is treated as free text. */
export const name: Leaf = (text) => (WORD.test(text) && !text.includes('//') ? text : withoutSecrets(text));

/** The message of an error, and whatever else may quote others. */
export const message: Leaf = (text) => withoutSecrets(text);

/**
 * The part of a document that its shape knows. What has other fields, or another form, is left out: nothing shows that
 * it may leave the host.
 */
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
