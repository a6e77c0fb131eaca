import { existsSync, readFileSync } from 'node:fs';
import { isObject } from './types.ts';

/**
 * Checks objects of Kubernetes' own kinds against the types that client-node ships, which are made from the
 * published OpenAPI document: unknown fields, missing ones, wrong types.
 */

const MODELS = new URL('../../../node_modules/@kubernetes/client-node/dist/gen/models/', import.meta.url);

interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly type: string;
}

const known = new Map<string, ReadonlyMap<string, Field>>();

/** What is wrong with a value of this class (`V1EndpointSlice`), each with its path. */
export function builtinErrors(type: string, value: unknown, path = ''): readonly string[] {
  if (value === undefined || type === 'any' || type === 'object') return [];
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) {
    // Lists that are empty may be null, in Go's JSON.
    if (value === null) return [];
    if (!Array.isArray(value)) return [`${path}: expected a list`];
    return value.flatMap((each, i) => builtinErrors(list, each, `${path}[${i}]`));
  }
  const map = /^\{\s*\[key: string\]: (.*?);?\s*\}$/s.exec(type)?.[1];
  if (map !== undefined) {
    if (!isObject(value)) return [`${path}: expected an object`];
    return Object.entries(value).flatMap(([key, each]) => builtinErrors(map, each, `${path}.${key}`));
  }
  const scalar = SCALARS[type];
  if (scalar !== undefined)
    return scalar(value) ? [] : [`${path}: expected ${type}, not ${JSON.stringify(value)}`];
  return objectErrors(fieldsOf(type), value, path);
}

const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  IntOrString: (value) => typeof value === 'number' || typeof value === 'string',
  Date: isTime,
  V1MicroTime: isTime,
};

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) && value.includes('T');
}

function objectErrors(fields: ReadonlyMap<string, Field>, value: unknown, path: string): readonly string[] {
  if (!isObject(value)) return [`${path}: expected an object`];
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const errors: string[] = [];
  for (const [name, each] of Object.entries(value)) {
    const field = fields.get(name);
    if (field === undefined) errors.push(`${at(name)}: no such field`);
    else errors.push(...builtinErrors(field.type, each, at(name)));
  }
  for (const { name, required } of fields.values()) {
    if (required && value[name] === undefined) errors.push(`${at(name)}: required`);
  }
  return errors;
}

function fieldsOf(type: string): ReadonlyMap<string, Field> {
  let fields = known.get(type);
  if (fields === undefined) {
    const file = new URL(`${type}.d.ts`, MODELS);
    if (!existsSync(file)) throw new Error(`client-node has no type ${type}`);
    const [, body = ''] =
      /export declare class \w+ \{(.*?)static readonly discriminator/s.exec(readFileSync(file, 'utf8')) ?? [];
    const declared = body.replace(/\/\*\*.*?\*\//gs, '').matchAll(/'([^']+)'(\?)?: ([^;{]+|\{[^}]*\});/g);
    fields = new Map(
      [...declared].map(([, name = '', optional, of = '']) => [
        unescaped(name),
        { name: unescaped(name), required: optional === undefined, type: of.trim() },
      ]),
    );
    known.set(type, fields);
  }
  return fields;
}

/** Names that are words of TypeScript begin with an underscore there, and hyphens have become underscores. */
function unescaped(name: string): string {
  return name.replace(/^_/, '').replace(/^x_.*/, (found) => found.replaceAll('_', '-'));
}
