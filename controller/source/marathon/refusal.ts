/** Reads how Marathon refuses a write; the format differs between its versions. */

import { z } from 'zod';
import { isRecord } from '../../input/rejection.ts';
import type { FieldErrors, WriteRefused } from '../../model/app-writes.ts';

/**
 * The refusal in an answer with this status (400 to 499), from any version of Marathon; null when the answer is not
 * Marathon's. `json` is the body, null when empty.
 *
 * The formats: `{message, details: [{path, errors: […]}]}` (from 0.16 on), `details: [{attribute, error}]` (0.14),
 * details as text, `{errors: [{attribute, error}]}` (0.7), and a null message (exceptions without a message).
 */
export function refusalOf(status: number, json: unknown): WriteRefused | null {
  const invalid = status === 400 || status === 422;
  // Any program may answer 404; Marathon's own answer has one of these keys.
  const isOwn = isRecord(json) && ['message', 'details', 'errors'].some((key) => key in json);
  if (!isOwn && !invalid) return null;

  const raw = isRecord(json) ? json['message'] : json;
  const message = typeof raw === 'string' && raw.trim() !== '' ? raw : null;
  const deployments = deploymentsIn(json);
  const why = reasonOf(status, message ?? '', deployments.length > 0);
  if (why === null) return null;

  const details = detailsIn(json).slice(0, MAX_DETAILS);
  const without = `answered ${status}${details.length === 0 ? ' without a message' : ''}`;
  return { result: 'refused', why, message: message ?? without, deployments, details };
}

/** Maximum number of details: nobody would read more. */
const MAX_DETAILS = 100;
/** Maximum length of a detail, in characters. The regular expression for ids has a few hundred. */
const MAX_LENGTH = 1_000;
/** Maximum nesting depth: no definition is as deep. */
const MAX_DEPTH = 16;

/** The statuses of Marathon's `MarathonExceptionMapper`. */
function reasonOf(status: number, message: string, locked: boolean): WriteRefused['why'] | null {
  switch (status) {
    case 400:
    case 422:
      return 'invalid';
    case 403:
      return /number .*of running deployments/i.test(message) ? 'busy' : 'forbidden';
    case 404:
      return 'absent';
    case 409:
      return locked || /locked/i.test(message) ? 'locked' : 'exists';
    default:
      return null;
  }
}

const locking = z.object({ deployments: z.array(z.object({ id: z.string() })) });

function deploymentsIn(json: unknown): readonly string[] {
  return (locking.safeParse(json).data?.deployments ?? []).map(({ id }) => id);
}

function detailsIn(json: unknown): readonly FieldErrors[] {
  if (!isRecord(json)) return typeof json === 'string' ? [] : detailsOf(json, '');
  const { message, details, errors, deployments: _, ...others } = json;
  const within = [...detailsOf(details, ''), ...detailsOf(errors, '')];
  const unusual = typeof message === 'string' ? [] : detailsOf(message, '');
  const all = [...within, ...unusual];
  return all.length > 0 || typeof message === 'string' ? all : detailsOf(others, '');
}

/** Keys for the field and for the message in an object about one field. */
const FIELDS = ['path', 'attribute', 'field'] as const;
const MESSAGES = ['errors', 'error', 'message', 'msg'] as const;

/** Details as text, a list, an object about one field, or an object with fields as keys, nested in any way. */
function detailsOf(value: unknown, at: string, depth = 0): readonly FieldErrors[] {
  if (value === null || value === undefined || value === '') return [];
  if (typeof value !== 'object') return [{ at, errors: [String(value).slice(0, MAX_LENGTH)] }];
  if (depth > MAX_DEPTH) return [{ at, errors: ['more details, nested too deeply to show'] }];
  if (Array.isArray(value)) return joined(value.flatMap((one) => detailsOf(one, at, depth + 1)));
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const message = MESSAGES.find((key) => key in fields);
  const named = FIELDS.find((key) => typeof fields[key] === 'string');
  if (message !== undefined && (named !== undefined || Object.keys(fields).length === 1)) {
    const field = named === undefined ? '' : placeOf(String(fields[named]));
    return detailsOf(fields[message], placeWithin(at, field), depth + 1);
  }
  return Object.entries(fields).flatMap(([key, inner]) =>
    detailsOf(inner, placeWithin(at, placeOf(key)), depth + 1),
  );
}

/** Merges neighbours about the same field. */
function joined(details: readonly FieldErrors[]): readonly FieldErrors[] {
  const result: { readonly at: string; readonly errors: string[] }[] = [];
  for (const { at, errors } of details) {
    const last = result.at(-1);
    if (last?.at === at) last.errors.push(...errors);
    else result.push({ at, errors: [...errors] });
  }
  return result;
}

/** `/portDefinitions(0)/port` -> `portDefinitions[0].port`. */
function placeOf(path: string): string {
  return path
    .replace(/^\//, '')
    .replaceAll(/\((\d+)\)/g, '[$1]')
    .replaceAll('/', '.');
}

/** `portDefinitions` and `0` -> `portDefinitions[0]`; `[0]` and `port` -> `[0].port`. */
function placeWithin(at: string, field: string): string {
  if (at === '' || field === '') return at + field;
  if (/^\d+$/.test(field)) return `${at}[${field}]`;
  return field.startsWith('[') ? at + field : `${at}.${field}`;
}
