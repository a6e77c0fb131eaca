/** What a schema finds wrong, in plain English: `expected a list, got text`, not `expected array, received string`. */

import { z } from 'zod';
import { BOUNDS } from './bounds.ts';

type RawIssue = z.core.$ZodRawIssue;

/**
 * Checks `json` as `schema.safeParse` does, with plain messages wherever the schema has none of its own. A message does not
 * quote the value: whoever prints it knows the path, and shows what stands there within bounds.
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  return schema.safeParse(json, { error: expectedBy });
}

/**
 * Returns `json` as the schema reads it. Throws an `Error` of one line where it does not fit; `what` it should be begins that
 * line: `not a Lease: metadata.name: expected text`.
 */
export function required<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  what: string,
): z.output<Schema> {
  const { data, error } = checked(schema, json);
  if (error === undefined) return data;
  throw new Error(`not ${what}: ${firstIssue(error)}`);
}

/** The first thing that is wrong, with its path: `services.x.name: expected text`. */
export function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'not of the expected form';
  const at = pathText(issue.path);
  return at === '' ? issue.message : `${at}: ${issue.message}`;
}

/** `['portDefinitions', 0, 'labels']` as people write it: `portDefinitions[0].labels`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

function expectedBy(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return expected(TYPES[issue.expected] ?? issue.expected, issue.input);
    case 'invalid_value':
      return `expected ${oneOf(issue.values)}`;
    case 'invalid_union':
      return eitherOf(issue.errors);
    case 'too_small':
      return leastOf(issue);
    case 'too_big':
      return `expected at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case 'unrecognized_keys':
      return `expected no field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'regex' ? `expected text like ${issue.pattern}` : `expected a ${issue.format}`;
    default:
      return 'expected another value';
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

/**
 * Makes a schema whose checks all have one message: `expected a port number from 0 to 65535`. A value that is not of `type` has
 * its own type added.
 */
export function withMessage<Schema extends z.ZodType>(
  what: string,
  type: 'number' | 'object',
  make: (message: { error: z.core.$ZodErrorMap }) => Schema,
): Schema {
  return make({
    error: ({ input }) => (typeOf(input) === type ? `expected ${what}` : expected(what, input)),
  });
}

/** Text of at most `BOUNDS.nameLength` characters. Checked by `refine` and not by `max`, which would become part of the CRD. */
export function boundedText(): z.ZodString {
  return z.string().refine(({ length }) => length <= BOUNDS.nameLength, {
    error: `expected at most ${BOUNDS.nameLength} characters`,
  });
}

/** `expected a list, got text`: a value that is shown in quotes does not say by itself what it is. */
export function expected(what: string, input: unknown): string {
  const type = typeOf(input);
  const got = type === 'boolean' ? undefined : TYPES[type];
  return got === undefined ? `expected ${what}` : `expected ${what}, got ${got}`;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.map(String);
  return shown.length > 1 ? `one of ${shown.join(', ')}` : shown.join('');
}

/** Of a value that may have several types: the types; where it has one of them, what is wrong in it. */
function eitherOf(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const within = branches.find((issues) => issues.every(({ path }) => path.length > 0));
  const [inner] = within ?? [];
  if (inner !== undefined) return `at ${pathText(inner.path)} ${inner.message}`;
  const each = new Set(
    branches.flatMap(([issue]) => issue?.message.replace(/^expected |, got .*$/g, '') ?? []),
  );
  return each.size === 0 ? 'expected another value' : `expected ${[...each].join(' or ')}`;
}

function leastOf({ origin, minimum }: Extract<RawIssue, { code: 'too_small' }>): string {
  if (origin === 'string' && minimum === 1) return 'expected text that is not empty';
  return `expected at least ${minimum}${unitOf(origin, minimum)}`;
}

function unitOf(origin: string, count: number | bigint): string {
  const one = count === 1 || count === 1n;
  if (origin === 'string') return one ? ' character' : ' characters';
  return origin === 'array' || origin === 'set' ? (one ? ' item' : ' items') : '';
}
