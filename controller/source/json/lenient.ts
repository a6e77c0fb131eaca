import type { z } from 'zod';
import { isRecord } from '../../rejection.ts';
import { checked } from '../../schema-messages.ts';

/** Something that a schema found wrong; its path is that in the JSON as it was given. */
export type Issue = z.core.$ZodIssue;
export type Path = readonly PropertyKey[];

/** Checks of the whole come after those of its parts, and what lacks something that was cut is found after that. */
const MOST_ROUNDS = 10;

/**
 * Reads `json` without what is wrong in it. `cut` is told what the schema finds, and cuts out what is of no use then; that is
 * repeated with what is left. A wrong value costs what `cut` says that it costs, and nothing else. Null where that is all.
 */
export function readLeniently<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  cut: (issues: readonly Issue[], cuts: Cuts) => void,
): z.output<Schema> | null {
  const cuts = new Cuts();
  for (let round = 0, left = json; round < MOST_ROUNDS; round += 1, left = cuts.appliedTo(json)) {
    const { data, error } = checked(schema, left);
    if (error === undefined) return data;
    cut(
      error.issues.map((issue) => ({ ...issue, path: cuts.givenPath(issue.path) })),
      cuts,
    );
    if (cuts.isAll) return null;
  }
  return null;
}

/** Original indexes of what is left of a list, up to the last element that is cut, and how many are cut. */
interface Kept {
  readonly indexes: readonly number[];
  readonly cut: number;
}

/** What stands in the place of something; null: nothing. */
type Instead = { readonly value: unknown } | null;

/** What is cut out of a JSON value, which stays as it is. Paths are those in it. */
export class Cuts {
  readonly #inner = new Map<PropertyKey, Cuts | Instead>();
  #isAll = false;
  #kept: Kept | undefined;

  /** Whether nothing is left. */
  get isAll(): boolean {
    return this.#isAll;
  }

  /** Whether something of this is cut, or something around it. */
  touch([step, ...rest]: Path): boolean {
    if (step === undefined) return this.#inner.size > 0;
    const inner = this.#inner.get(step);
    return inner instanceof Cuts ? inner.touch(rest) : inner !== undefined;
  }

  /** Cuts what stands at `path`, a field or an element of a list, and puts something else there if that is given. */
  add([step, ...rest]: Path, instead: Instead = null): void {
    if (step === undefined) {
      this.#isAll = true;
      return;
    }
    const inner = this.#inner.get(step);
    if (rest.length === 0) {
      this.#inner.set(step, instead);
      this.#kept = undefined;
    } else if (inner === undefined || inner instanceof Cuts) {
      const within = inner ?? new Cuts();
      this.#inner.set(step, within);
      within.add(rest, instead);
    }
  }

  /** A path in what is left, as it is in the JSON as it was given. */
  givenPath([step, ...rest]: Path): PropertyKey[] {
    if (step === undefined) return [];
    const given = typeof step === 'number' ? this.#givenIndex(step) : step;
    const inner = this.#inner.get(given);
    return [given, ...(inner instanceof Cuts ? inner.givenPath(rest) : rest)];
  }

  /** What is left of it. */
  appliedTo(json: unknown): unknown {
    const left = (key: PropertyKey, value: unknown) => {
      const inner = this.#inner.get(key);
      if (inner === null) return [];
      if (inner === undefined) return [[key, value] as const];
      return [[key, inner instanceof Cuts ? inner.appliedTo(value) : inner.value] as const];
    };
    if (Array.isArray(json))
      return json.flatMap((each, index) => left(index, each).map(([, value]) => value));
    return isRecord(json)
      ? Object.fromEntries(Object.entries(json).flatMap(([key, value]) => left(key, value)))
      : json;
  }

  #givenIndex(index: number): number {
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
