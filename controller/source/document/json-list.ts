import { BOUNDS, OverBound, tooManyValues } from '../../bounds.ts';
import type { Pace } from '../../pace.ts';
import { walkJson } from '../json.ts';
import {
  afterBlanks,
  afterString,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  passStretch,
  QUOTE,
  type Walk,
} from '../json-bytes.ts';

/** A document that is one list, `[…]` or `{"KEY": […]}`. */
export interface JsonList {
  readonly key: string | null;
  /** How many elements there are. */
  readonly size: number;
  /** Parses one element; throws a `SyntaxError` where it is no JSON. */
  element(index: number): Element;
}

export interface Element {
  readonly json: unknown;
  /** Why it is not parsed, and `json` has no more than its id; null where it is. */
  readonly refused: string | null;
}

/**
 * Takes a list apart without parsing it as a whole: of a list of ten thousand apps only one needs to be in memory as
 * JSON at any time. Null for any other document, valid or not. Others have their turn meanwhile.
 *
 * Rejects with an `OverBound` where the document has more elements, or more values in all, than `BOUNDS` lets it have.
 */
export async function splitList(bytes: Buffer, pace: Pace): Promise<JsonList | null> {
  const start = afterBlanks(bytes, startsWithMark(bytes) ? 3 : 0);
  const head = bytes[start] === OPEN_OBJECT ? keyAt(bytes, start) : { key: null, next: start };
  if (head === null || bytes[head.next] !== OPEN_LIST) return null;

  const list = new Elements(bytes);
  let at = await list.read(head.next, pace);
  if (bytes[at] !== CLOSE_LIST) return null;
  at = afterBlanks(bytes, at + 1);
  if (head.key !== null) {
    if (bytes[at] !== CLOSE_OBJECT) return null;
    at = afterBlanks(bytes, at + 1);
  }
  if (at !== bytes.length) return null;
  return { key: head.key, size: list.size, element: (index) => list.element(index) };
}

/** Throws an `OverBound` where a document that is parsed as a whole has too many values. */
export async function checkSize(bytes: Buffer, pace: Pace): Promise<void> {
  const walk: Walk = { at: 0, depth: 1, values: 0 };
  while (walk.at < bytes.length) {
    passStretch(bytes, walk);
    // Outside any object or list there is nothing to count.
    walk.depth = Math.max(1, walk.depth);
    if (walk.values > BOUNDS.documentValues)
      throw new OverBound(`more than ${BOUNDS.documentValues} values, and no list of apps`);
    await pace.restIfDue();
  }
}

/** The key after `{`, and where its value begins. */
function keyAt(bytes: Buffer, brace: number): { key: string; next: number } | null {
  const from = afterBlanks(bytes, brace + 1);
  if (bytes[from] !== QUOTE) return null;
  const to = afterString(bytes, from) ?? bytes.length;
  const colon = afterBlanks(bytes, to);
  if (bytes[colon] !== COLON) return null;
  return { key: bytes.toString('utf8', from + 1, to - 1), next: afterBlanks(bytes, colon + 1) };
}

/** Where each element of a list begins and ends, and how many values it has. */
class Elements {
  readonly #bytes: Buffer;
  readonly #bounds: number[] = [];
  readonly #large = new Set<number>();
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bounds.length / 2;
  }

  /** Reads the list that begins at `bracket`, and gives the place where its end is expected. */
  async read(bracket: number, pace: Pace): Promise<number> {
    const bytes = this.#bytes;
    let at = afterBlanks(bytes, bracket + 1);
    if (bytes[at] === CLOSE_LIST) return at;
    for (;;) {
      const walk: Walk = { at, depth: 0, values: 0 };
      while (!passStretch(bytes, walk)) await pace.restIfDue();
      // Nothing stands there.
      if (walk.at === at) return bytes.length;
      this.#add(at, walk);
      if (this.size % OFTEN === 0 && pace.isDue()) await pace.rest();
      at = afterBlanks(bytes, walk.at);
      if (bytes[at] !== COMMA) return at;
      at = afterBlanks(bytes, at + 1);
    }
  }

  element(index: number): Element {
    const bytes = this.#bytes.subarray(this.#bounds[2 * index], this.#bounds[2 * index + 1]);
    if (!this.#large.has(index)) return { json: JSON.parse(bytes.toString('utf8')), refused: null };
    return { json: { id: idIn(bytes) }, refused: tooManyValues() };
  }

  #add(from: number, { at, values }: Walk): void {
    if (values > BOUNDS.values) this.#large.add(this.size);
    this.#bounds.push(from, at);
    this.#values += values;
    if (this.size > BOUNDS.items) throw new OverBound(`the list has more than ${BOUNDS.items} elements`);
    if (this.#values > BOUNDS.listValues) throw new OverBound(`more than ${BOUNDS.listValues} values`);
  }
}

/** After so many elements the clock is looked at: they may be two bytes each. */
const OFTEN = 256;

function idIn(bytes: Buffer): unknown {
  for (const found of walkJson(bytes, { id: 'value' })) if (found?.path === 'id') return found.json;
  return undefined;
}

/** The UTF-8 byte order mark. */
function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
