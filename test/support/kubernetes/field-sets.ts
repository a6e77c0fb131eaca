import { same } from '../../../controller/compare.ts';
import type { Kind } from './kinds.ts';
import { isObject, type Json, type JsonObject } from './types.ts';

/**
 * Sets of the fields of an object, as server-side apply has them: leaves with the way to them. A list is one field,
 * unless its entries have keys.
 */

type Step = { readonly field: string } | { readonly key: JsonObject };
export type Path = readonly Step[];
export type FieldSet = ReadonlyMap<string, Path>;

const IGNORED = new Set([
  'apiVersion',
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.managedFields',
]);
/** The server's own, which nobody owns. */
const SERVERS = /^metadata\.(uid|resourceVersion|generation|creationTimestamp|selfLink)$/;

/** The fields that `value` has; `{}` and lists are fields too. */
export function fieldsOf(value: unknown, listKeys: Kind['listKeys']): FieldSet {
  const found = new Map<string, Path>();
  collect({ value, path: [], dotted: '' }, listKeys, found);
  return found;
}

interface Node {
  readonly value: unknown;
  readonly path: Path;
  /** `status.conditions[].type`: the path without keys. */
  readonly dotted: string;
}

function collect(node: Node, listKeys: Kind['listKeys'], found: Map<string, Path>): void {
  if (IGNORED.has(node.dotted) || SERVERS.test(node.dotted)) return;
  const below = childrenOf(node, listKeys.get(node.dotted));
  if (below === null) found.set(JSON.stringify(node.path), node.path);
  else for (const child of below) collect(child, listKeys, found);
}

/** null: it is a field as a whole. */
function childrenOf(
  { value, path, dotted }: Node,
  keys: readonly string[] | undefined,
): readonly Node[] | null {
  if (Array.isArray(value) && keys !== undefined) {
    return value.flatMap((item: JsonObject) => {
      const key = Object.fromEntries(keys.map((name) => [name, item[name] ?? null]));
      return fieldNodes(item, [...path, { key }], `${dotted}[].`);
    });
  }
  if (!isObject(value) || (path.length > 0 && Object.keys(value).length === 0)) return null;
  return fieldNodes(value, path, dotted === '' ? '' : `${dotted}.`);
}

function fieldNodes(value: { readonly [key: string]: unknown }, path: Path, prefix: string): readonly Node[] {
  return Object.entries(value).map(([field, one]) => ({
    value: one,
    path: [...path, { field }],
    dotted: prefix + field,
  }));
}

/** The value at a path; undefined where there is none. */
export function valueAt(object: unknown, path: Path): unknown {
  let value = object;
  for (const step of path) {
    if ('field' in step) value = isObject(value) ? value[step.field] : undefined;
    else value = entryOf(value, step.key);
  }
  return value;
}

function entryOf(list: unknown, key: JsonObject): unknown {
  if (!Array.isArray(list)) return undefined;
  return list.find(
    (item) => isObject(item) && Object.entries(key).every(([name, one]) => same(item[name], one)),
  );
}

/** Puts a value there, and what must be around it. */
export function putAt(object: JsonObject, path: Path, value: Json): void {
  let place: Json = object;
  for (const [i, step] of path.entries()) {
    const next = path[i + 1];
    if ('key' in step) place = entryMade(place as Json[], step.key);
    else {
      const holder = place as JsonObject;
      if (next === undefined) holder[step.field] = structuredClone(value);
      else holder[step.field] ??= 'key' in next ? [] : {};
      place = holder[step.field] as Json;
    }
  }
}

function entryMade(list: Json[], key: JsonObject): JsonObject {
  const found = entryOf(list, key) as JsonObject | undefined;
  if (found !== undefined) return found;
  const entry = structuredClone(key);
  list.push(entry);
  return entry;
}

/** Takes a field away, and what has become empty around it. */
export function removeAt(object: JsonObject, path: Path): void {
  const [step, ...rest] = path;
  if (step === undefined || !('field' in step)) return;
  const value = object[step.field];
  if (value === undefined) return;
  const [next, ...below] = rest;
  if (next === undefined) delete object[step.field];
  else if ('key' in next && Array.isArray(value)) {
    const entry = entryOf(value, next.key) as JsonObject | undefined;
    if (entry !== undefined) {
      removeAt(entry, below);
      const bare = Object.keys(entry).every((name) => name in next.key) || Object.keys(entry).length === 0;
      if (bare) value.splice(value.indexOf(entry), 1);
    }
    if (value.length === 0) delete object[step.field];
  } else if (isObject(value)) {
    removeAt(value as JsonObject, rest);
    if (Object.keys(value).length === 0) delete object[step.field];
  }
}

/** As `fieldsV1` writes it: `{"f:metadata":{"f:labels":{"f:app":{}}}}`. */
export function toFieldsV1(fields: FieldSet): JsonObject {
  const root: JsonObject = {};
  for (const path of fields.values()) {
    let place = root;
    for (const step of path) {
      const name = 'field' in step ? `f:${step.field}` : `k:${JSON.stringify(step.key)}`;
      place[name] ??= {};
      place = place[name] as JsonObject;
      if ('key' in step) place['.'] = {};
    }
  }
  return root;
}

export function fromFieldsV1(json: JsonObject): FieldSet {
  const found = new Map<string, Path>();
  const walk = (each: JsonObject, path: Path): void => {
    const names = Object.keys(each).filter((name) => name !== '.');
    if (names.length === 0 && path.length > 0) found.set(JSON.stringify(path), path);
    for (const name of names) {
      const step: Step = name.startsWith('f:')
        ? { field: name.slice(2) }
        : { key: JSON.parse(name.slice(2)) };
      walk(each[name] as JsonObject, [...path, step]);
    }
  };
  walk(json, []);
  return found;
}

/** `.spec.app`, `.status.conditions[type="Ready"].status`: for a message. */
export function pathText(path: Path): string {
  return path
    .map((step) =>
      'field' in step
        ? `.${step.field}`
        : `[${Object.entries(step.key).map(([name, one]) => `${name}=${JSON.stringify(one)}`)}]`,
    )
    .join('');
}
