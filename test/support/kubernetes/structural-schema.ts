import { evaluate } from '@marcbachmann/cel-js';
import { isObject } from './types.ts';

/** The part of a CRD's OpenAPI schema that this project writes. */
export interface StructuralSchema {
  type?: string;
  format?: string;
  nullable?: boolean;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  maxItems?: number;
  required?: string[];
  properties?: { [name: string]: StructuralSchema };
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: { rule: string; message: string }[];
}

/** Checks an object and drops the fields that its schema does not know, as the API server does before it stores one. */
export function admit(object: { [key: string]: unknown }, schema: StructuralSchema): string[] {
  // The server's own, whatever the schema says of them.
  const {
    metadata: _metadata,
    apiVersion: _apiVersion,
    kind: _kind,
    ...properties
  } = schema.properties ?? {};
  const errors: string[] = [];
  for (const name of Object.keys(object)) {
    if (['apiVersion', 'kind', 'metadata'].includes(name)) continue;
    const one = properties[name];
    if (one === undefined) delete object[name];
    else errors.push(...check(object[name], one, name));
  }
  for (const name of schema.required ?? [])
    if (object[name] === undefined) errors.push(`${name}: Required value`);
  return errors;
}

function check(value: unknown, schema: StructuralSchema, path: string): string[] {
  if (value === null) {
    return schema.nullable ? [] : [`${path}: Invalid value: "null": must be of type ${schema.type}`];
  }
  if (schema.type !== undefined && !TYPES[schema.type]?.(value)) {
    return [`${path}: Invalid value: must be of type ${schema.type}`];
  }
  const errors = [...limits(value, schema, path)];
  if (Array.isArray(value)) errors.push(...checkList(value, schema, path));
  else if (isObject(value)) errors.push(...checkObject(value, schema, path));
  if (errors.length > 0) return errors;
  for (const { rule, message } of schema['x-kubernetes-validations'] ?? []) {
    // A copy by JSON: the evaluator knows only objects of its own realm, and structuredClone makes others under Jest.
    if (evaluate(rule, { self: JSON.parse(JSON.stringify(value)) }) !== true)
      errors.push(`${path}: Invalid value: ${message}`);
  }
  return errors;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
};

function* limits(value: unknown, schema: StructuralSchema, path: string): Generator<string> {
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    yield `${path}: Unsupported value: ${JSON.stringify(value)}: supported values: ${schema.enum.join(', ')}`;
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value)) yield `${path}: should be at least ${schema.minimum}`;
    if (value > (schema.maximum ?? value)) yield `${path}: should be at most ${schema.maximum}`;
  }
  if (typeof value === 'string') yield* textLimits(value, schema, path);
}

function* textLimits(text: string, schema: StructuralSchema, path: string): Generator<string> {
  if (text.length < (schema.minLength ?? 0))
    yield `${path}: should be at least ${schema.minLength} chars long`;
  if (text.length > (schema.maxLength ?? text.length)) yield `${path}: Too long`;
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(text))
    yield `${path}: Invalid value: "${text}": should match '${schema.pattern}'`;
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(text))) yield `${path}: must be a time`;
}

function checkList(value: readonly unknown[], schema: StructuralSchema, path: string): string[] {
  const errors = value.length > (schema.maxItems ?? value.length) ? [`${path}: Too many`] : [];
  const keys = schema['x-kubernetes-list-map-keys'];
  if (keys !== undefined) {
    const seen = value.map((item) => JSON.stringify(keys.map((key) => (isObject(item) ? item[key] : null))));
    if (new Set(seen).size < seen.length) errors.push(`${path}: Duplicate value`);
  }
  const { items } = schema;
  return items === undefined
    ? errors
    : [...errors, ...value.flatMap((item, i) => check(item, items, `${path}[${i}]`))];
}

function checkObject(value: { [key: string]: unknown }, schema: StructuralSchema, path: string): string[] {
  const errors: string[] = [];
  for (const [name, each] of Object.entries(value)) {
    const one = schema.properties?.[name] ?? schema.additionalProperties;
    if (one !== undefined) errors.push(...check(each, one, `${path}.${name}`));
    else if (!schema['x-kubernetes-preserve-unknown-fields']) delete value[name];
  }
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) errors.push(`${path}.${name}: Required value`);
  }
  return errors;
}
