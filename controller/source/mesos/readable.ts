import type { z } from 'zod';
import type { Rejection } from '../../model.ts';
import { isRecord, issueRejection } from '../../rejection.ts';
import { checked } from '../../schema-messages.ts';

/** What is wrong within one object; `at` is the path in it. */
export type Problem = Omit<Rejection, 'app'>;

/** What of an object could be read. */
export interface Readable<Data> {
  /** null where something is wrong that the object cannot be without. */
  readonly data: Data | null;
  /** What is wrong, the first few. */
  readonly problems: readonly Problem[];
  /** The fields of the object in which something is wrong. */
  readonly unread: ReadonlySet<string>;
}

/**
 * Reads `json` without what is wrong in it. A field that may be absent is left out, and so is an element of a list; what
 * cannot be without such a field is left out with it.
 */
export function readable<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
): Readable<z.output<Schema>> {
  const problems: Problem[] = [];
  const unread = new Set<string>();
  const cuts = new Cuts();
  for (let rest = json; ; rest = cuts.appliedTo(json)) {
    const { data, error } = checked(schema, rest);
    if (error === undefined) return { data, problems, unread };
    // All paths first: a cut moves the indexes after it.
    const issues = error.issues.map((issue) => ({ ...issue, path: cuts.originalPath(issue.path) }));
    const fresh = issues.filter(({ path }) => !cuts.touch(path));
    for (const { path } of fresh) unread.add(String(path[0] ?? ''));
    for (const issue of fresh.slice(0, MOST_REPORTED - problems.length))
      problems.push(problemOf(json, issue));
    const found = new Set(fresh);
    for (const issue of issues) {
      const { path } = issue;
      const cut = found.has(issue) && isOptional(json, path) ? path : path.slice(0, -1);
      if (cut.length === 0) return { data: null, problems, unread };
      cuts.add(cut);
    }
  }
}

const MOST_REPORTED = 10;

function problemOf(json: unknown, issue: z.core.$ZodIssue): Problem {
  const { at, value, reason } = issueRejection('', json, issue);
  return { at, value, reason };
}

/** A port of another protocol, or a mapping to another port, is no port at all. */
const DECISIVE: ReadonlySet<PropertyKey> = new Set(['protocol', 'host_port', 'container_port']);

/** Whether something stands there that may be left out: what is missing is missed by the object around it. */
function isOptional(json: unknown, path: readonly PropertyKey[]): boolean {
  let value = json;
  for (const step of path)
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, step) : undefined;
  return value !== undefined && !DECISIVE.has(path.at(-1) ?? '');
}

/** Original indexes of what is left of a list, up to the last element that is cut, and how many are cut. */
interface Kept {
  readonly indexes: readonly number[];
  readonly cut: number;
}

/** What is left out of a JSON value. */
class Cuts {
  /** By key or index; null: all of it. */
  readonly #inner = new Map<PropertyKey, Cuts | null>();
  #kept: Kept | undefined;

  /** Whether this is left out, or a part of it, or something around it. */
  touch([step, ...rest]: readonly PropertyKey[]): boolean {
    if (step === undefined) return this.#inner.size > 0;
    const inner = this.#inner.get(step);
    return inner === undefined ? false : inner === null || inner.touch(rest);
  }

  add([step, ...rest]: readonly PropertyKey[]): void {
    if (step === undefined || this.#inner.get(step) === null) return;
    const inner = rest.length === 0 ? null : (this.#inner.get(step) ?? new Cuts());
    this.#inner.set(step, inner);
    inner?.add(rest);
    this.#kept = undefined;
  }

  /** A path in what is left, as it is in the whole. */
  originalPath([step, ...rest]: readonly PropertyKey[]): PropertyKey[] {
    if (step === undefined) return [];
    const original = typeof step === 'number' ? this.#originalIndex(step) : step;
    return [original, ...(this.#inner.get(original)?.originalPath(rest) ?? rest)];
  }

  appliedTo(json: unknown): unknown {
    const left = (key: PropertyKey, value: unknown) => {
      const inner = this.#inner.get(key);
      return inner === null ? [] : [[key, inner === undefined ? value : inner.appliedTo(value)] as const];
    };
    if (Array.isArray(json))
      return json.flatMap((each, index) => left(index, each).map(([, value]) => value));
    return isRecord(json)
      ? Object.fromEntries(Object.entries(json).flatMap(([key, value]) => left(key, value)))
      : json;
  }

  #originalIndex(index: number): number {
    this.#kept ??= this.#keptIndexes();
    const { indexes, cut } = this.#kept;
    return indexes[index] ?? index + cut;
  }

  #keptIndexes(): Kept {
    const cut = new Set([...this.#inner].flatMap(([key, inner]) => (inner === null ? [Number(key)] : [])));
    const indexes: number[] = [];
    for (let index = 0, left = cut.size; left > 0; index += 1)
      if (cut.has(index)) left -= 1;
      else indexes.push(index);
    return { indexes, cut: cut.size };
  }
}
