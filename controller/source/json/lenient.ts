import type { z } from 'zod';
import { isRecord } from '../../input/rejection.ts';
import { checked } from '../../input/schema-messages.ts';

/** A schema violation; its path is that in the original JSON. */
export type Issue = z.core.$ZodIssue;
export type Path = readonly PropertyKey[];

/** Checks of the whole run only after those of its parts pass, and cutting a value may leave its parent incomplete. */
const MAX_ROUNDS = 10;

/**
 * Reads `json` without its wrong values.
 *
 * `cut` receives the schema's issues and cuts out what is useless then; this repeats with the rest until it is valid.
 * Only what `cut` removes is lost. Returns null when nothing usable is left.
 */
export function readLeniently<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  cut: (issues: readonly Issue[], cuts: Cuts) => void,
): z.output<Schema> | null {
  const cuts = new Cuts();
  for (let round = 0, left = json; round < MAX_ROUNDS; round += 1, left = cuts.appliedTo(json)) {
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

/** Original indexes of the elements left in a list, up to the last cut one, and the number of cut elements. */
interface Kept {
  readonly indexes: readonly number[];
  readonly cut: number;
}

/** What replaces a cut value; null for nothing. */
type Instead = { readonly value: unknown } | null;

/** The parts cut out of a JSON value. The value itself does not change; paths are those in it. */
export class Cuts {
  readonly #inner = new Map<PropertyKey, Cuts | Instead>();
  #isAll = false;
  #kept: Kept | undefined;

  /** Whether everything is cut. */
  get isAll(): boolean {
    return this.#isAll;
  }

  /** Whether the value at this path, a part of it, or a value that contains it is cut. */
  affects([step, ...rest]: Path): boolean {
    if (step === undefined) return this.#inner.size > 0;
    const inner = this.#inner.get(step);
    return inner instanceof Cuts ? inner.affects(rest) : inner !== undefined;
  }

  /** Cuts the field or list element at a path, or replaces it by `instead`. */
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

  /** Translates a path in what is left to the path in the original JSON. */
  givenPath([step, ...rest]: Path): PropertyKey[] {
    if (step === undefined) return [];
    const given = typeof step === 'number' ? this.#givenIndex(step) : step;
    const inner = this.#inner.get(given);
    return [given, ...(inner instanceof Cuts ? inner.givenPath(rest) : rest)];
  }

  /** Returns `json` without the cut parts. */
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
