import type { z } from 'zod';
import type { Rejection } from '../model/app.ts';
import { pathText } from './schema-messages.ts';

const READABLE = 100;

/** A value as text for a rejection: JSON, or the text itself; cut to a readable length. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : jsonOf(value);
  return text.length > READABLE ? `${text.slice(0, READABLE - 1)}…` : text;
}

/** JSON of a value, or a placeholder when it is nested too deep for `JSON.stringify`. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}

/** The first problem that a schema found in `json`, with its path and value. */
export function rejectionOf(app: string, json: unknown, error: z.ZodError): Rejection {
  const [first] = rejectionsOf(app, json, error);
  return first ?? { app, at: '', value: shown(json), reason: error.message };
}

/** All problems that a schema found in `json`. */
export function rejectionsOf(app: string, json: unknown, error: z.ZodError): readonly Rejection[] {
  return error.issues.map((issue) => issueRejection(app, json, issue));
}

/** One of the things that it found. */
export function issueRejection(app: string, json: unknown, { path, message }: z.core.$ZodIssue): Rejection {
  return { app, at: pathText(path), value: shown(valueAt(json, path)), reason: message };
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json;
  for (const step of path)
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, step) : undefined;
  return value;
}

/** Whether this is a JSON object: not null, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
