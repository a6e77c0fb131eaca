import { BOUNDS, OverBound, tooManyValues } from '../../input/bounds.ts';
import { isRecord } from '../../input/rejection.ts';
import type { Pace } from '../../pace.ts';
import {
  afterBlanks,
  afterString,
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  type Scan,
  skipChunk,
} from './bytes.ts';

/**
 * Which parts of a JSON document to read, by key: `'value'` reads the value; `'each'` reads every element of the list;
 * `'key'` reports only that the key is there; an object applies to the object there. The key `*` stands for all other
 * keys. Everything else is skipped without being parsed.
 */
export interface Wanted {
  readonly [key: string]: 'value' | 'each' | 'key' | Wanted;
}

/**
 * A part that was found. `path` is its keys joined by dots. `json` is undefined for a `'key'`, at the start of a
 * list or object that contains wanted parts, and for a `'value'` that is too large to be parsed.
 */
export interface Found {
  readonly path: string;
  readonly json: unknown;
  /** Why a list element was not parsed; `json` then has only its id and state. */
  readonly refused?: string;
}

/**
 * Reads the wanted parts of a JSON object, or the elements of a list (`'each'`; their path is empty), one at a time: of
 * the state of a large cluster, only one task at a time is in memory as JSON. Yields null now and then between the
 * parts, so that the caller can pause.
 *
 * `types`: with `strict`, a wanted list or object may be missing or null; any other type throws a `WrongType`.
 *
 * Throws a `SyntaxError` when the document is not a complete object or list, and an `OverBound` when a list exceeds the
 * number of elements or values in `BOUNDS`. In skipped parts, only matching brackets and closed strings are checked.
 */
export function* walkJson(
  bytes: Buffer,
  wanted: Wanted | 'each',
  types: Types = 'any',
): Generator<Found | null, void> {
  const start = afterBlanks(bytes, startsWithMark(bytes) ? 3 : 0);
  const isList = wanted === 'each';
  if (bytes[start] !== (isList ? OPEN_LIST : OPEN_OBJECT))
    throw mistake(bytes, start, isList ? 'a list' : 'an object');
  const end = afterBlanks(
    bytes,
    yield* isList
      ? walkValue(bytes, start, { wanted, types }, '')
      : walkObject(bytes, start, { wanted, types }, ''),
  );
  if (end !== bytes.length) throw mistake(bytes, end, 'the end');
}

/** What may be there instead of a wanted list or object: anything, or only null. */
type Types = 'any' | 'strict';

/** What to read, and how strictly. */
interface Target<What> {
  readonly wanted: What;
  readonly types: Types;
}

/** The JSON has another type where a list or an object is expected. The message names the path. */
export class WrongType extends SyntaxError {
  override readonly name = 'WrongType';

  /** For parsed JSON: the value at this path is not `expected` (`a list`). */
  static at(path: string, expected: string, json: unknown): WrongType {
    return new WrongType(`${path}: expected ${expected}, got ${typeOf(json)}`);
  }
}

/** The first byte of `null`. */
const NULL = 0x6e;

function typeOf(json: unknown): string {
  if (typeof json === 'string') return 'text';
  if (Array.isArray(json)) return 'a list';
  return isRecord(json) ? 'an object' : String(json);
}

function typeAt(bytes: Buffer, at: number): string {
  if (bytes[at] === QUOTE) return 'text';
  if (bytes[at] === OPEN_OBJECT) return 'an object';
  if (bytes[at] === OPEN_LIST) return 'a list';
  return bytes.toString('latin1', at, at + 12).split(/[\s,}\]]/, 1)[0] ?? '';
}

/** Rejects with an `OverBound` when a document has too many values to be parsed as a whole. */
export async function checkSize(bytes: Buffer, pace: Pace): Promise<void> {
  const scan: Scan = { at: 0, depth: 1, values: 0 };
  while (scan.at < bytes.length) {
    skipChunk(bytes, scan);
    // Values are counted only inside an object or a list.
    scan.depth = Math.max(1, scan.depth);
    if (scan.values > BOUNDS.documentValues)
      throw new OverBound(`more than ${BOUNDS.documentValues} values, and no list of apps`);
    await pace.restIfDue();
  }
}

/** Returns the offset after the object that begins at `brace`. */
function* walkObject(
  bytes: Buffer,
  brace: number,
  { wanted, types }: Target<Wanted>,
  prefix: string,
): Generator<Found | null, number> {
  let at = afterBlanks(bytes, brace + 1);
  if (bytes[at] === CLOSE_OBJECT) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) throw mistake(bytes, at, 'a key');
    const keyEnd = stringEnd(bytes, at);
    const key = bytes.toString('utf8', at + 1, keyEnd - 1);
    const colon = afterBlanks(bytes, keyEnd);
    if (bytes[colon] !== COLON) throw mistake(bytes, colon, '":"');
    const value = afterBlanks(bytes, colon + 1);
    const target = { wanted: wanted[Object.hasOwn(wanted, key) ? key : '*'], types };
    at = yield* walkValue(bytes, value, target, prefix + key);
    at = afterBlanks(bytes, at);
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) throw mistake(bytes, at, '"," or "}"');
    at = afterBlanks(bytes, at + 1);
  }
}

function* walkValue(
  bytes: Buffer,
  at: number,
  { wanted, types }: Target<Wanted[string] | undefined>,
  path: string,
): Generator<Found | null, number> {
  if (wanted === 'each' && bytes[at] === OPEN_LIST) {
    yield { path, json: undefined };
    return yield* walkList(bytes, at, path);
  }
  if (typeof wanted === 'object' && bytes[at] === OPEN_OBJECT) {
    yield { path, json: undefined };
    return yield* walkObject(bytes, at, { wanted, types }, `${path}.`);
  }
  const expected = typeof wanted === 'object' ? 'an object' : wanted === 'each' ? 'a list' : null;
  if (expected !== null && types === 'strict' && bytes[at] !== NULL)
    throw new WrongType(`${path}: expected ${expected}, got ${typeAt(bytes, at)}`);
  if (wanted === 'key') yield { path, json: undefined };
  const scan: Scan = { at, depth: 0, values: 0 };
  const end = yield* skipValue(bytes, scan);
  // Null in place of a list or an object means that there is none, so there is nothing to yield.
  if (wanted === 'value')
    yield { path, json: scan.values > BOUNDS.values ? undefined : parsed(bytes, at, end) };
  return end;
}

function* walkList(bytes: Buffer, bracket: number, path: string): Generator<Found | null, number> {
  let at = afterBlanks(bytes, bracket + 1);
  if (bytes[at] === CLOSE_LIST) return at + 1;
  let values = 0;
  for (let size = 1; ; size += 1) {
    if (size > BOUNDS.items) throw new OverBound(`the list has more than ${BOUNDS.items} elements`);
    const scan: Scan = { at, depth: 0, values: 0 };
    const end = yield* skipValue(bytes, scan);
    values += scan.values;
    if (values > BOUNDS.listValues) throw new OverBound(`more than ${BOUNDS.listValues} values`);
    const isBomb = scan.values > BOUNDS.values;
    yield isBomb ? refused(bytes.subarray(at, end), path) : { path, json: parsed(bytes, at, end) };
    at = afterBlanks(bytes, end);
    if (bytes[at] === CLOSE_LIST) return at + 1;
    if (bytes[at] !== COMMA) throw mistake(bytes, at, '"," or "]"');
    at = afterBlanks(bytes, at + 1);
  }
}

/** The fields that identify an app or a Mesos task, and the state that tells whether the task has ended. */
const IDENTITY: Wanted = { id: 'value', task_id: 'value', framework_id: 'value', state: 'value' };

/** An oversized element is not parsed, so that the others still can be. */
function refused(element: Buffer, path: string): Found {
  const json: Record<string, unknown> = {};
  if (element[0] === OPEN_OBJECT)
    for (const found of walkJson(element, IDENTITY)) if (found !== null) json[found.path] = found.json;
  return { path, json, refused: tooManyValues() };
}

function parsed(bytes: Buffer, from: number, to: number): unknown {
  return JSON.parse(bytes.toString('utf8', from, to));
}

/** Returns the offset after the value at the position of `scan`. */
function* skipValue(bytes: Buffer, scan: Scan): Generator<null, number> {
  const first = bytes[scan.at];
  if (first === QUOTE) return stringEnd(bytes, scan.at);
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) return afterPlain(bytes, scan.at);
  while (!skipChunk(bytes, scan)) yield null;
  if (scan.depth > 0) throw mistake(bytes, bytes.length, '"}" or "]"');
  return scan.at;
}

/** Skips a number, `true`, `false` or `null`, and checks it, since it may never be parsed. */
function afterPlain(bytes: Buffer, from: number): number {
  let at = from;
  // Letters, digits, `+`, `-` and `.`.
  for (let byte = bytes[at] ?? 0; byte > 0x2a && byte !== COMMA && byte < 0x7b; byte = bytes[++at] ?? 0)
    if (byte === OPEN_LIST || byte === CLOSE_LIST || byte === BACKSLASH) break;
  const text = bytes.toString('latin1', from, at);
  if (!/^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(text)) {
    throw mistake(bytes, from, 'a value');
  }
  return at;
}

function stringEnd(bytes: Buffer, from: number): number {
  const end = afterString(bytes, from);
  if (end === null) throw mistake(bytes, bytes.length, 'the end of a string');
  return end;
}

function mistake(bytes: Buffer, at: number, expected: string): SyntaxError {
  const found = at < bytes.length ? `"${bytes.toString('latin1', at, at + 1)}"` : 'the end';
  return new SyntaxError(`expected ${expected} at byte ${at}, got ${found}`);
}

/** Whether the document starts with the UTF-8 byte order mark. */
function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
