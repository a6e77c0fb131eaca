import { BOUNDS, OverBound, tooManyValues } from '../../bounds.ts';
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
  passStretch,
  QUOTE,
  type Walk,
} from './bytes.ts';

/**
 * What of a JSON document is wanted: `'value'`, the value of this key; `'each'`, every element of its list; `'place'`, that
 * there is such a key; or what is wanted of the object there. The key `*` stands for all that are not named. All else is
 * passed over without being parsed.
 */
export interface Wanted {
  readonly [key: string]: 'value' | 'each' | 'place' | Wanted;
}

/** `path`: the keys that lead there, joined by dots. `json` is undefined where an object or list begins of which something is wanted. */
export interface Found {
  readonly path: string;
  readonly json: unknown;
  /** Why an element of a list is not parsed, and `json` has no more than its id and state. */
  readonly refused?: string;
}

/**
 * Walks through a JSON object, or a list whose elements are wanted (`'each'`; their path is empty), and gives what is wanted
 * of it, piece by piece: of the state of a large cluster only one task needs to be in memory as JSON at any time. Gives
 * `null` now and then where nothing wanted is, so that whoever walks may rest.
 *
 * `types`: with `strict` a wanted list or object may be missing or null, and anything else in its place is a `WrongType`.
 *
 * Throws a `SyntaxError` when the document is no complete object or list, an `OverBound` where a list has more elements, or
 * more values in all, than `BOUNDS` lets it have. What is passed over is checked no further than that its brackets and
 * strings end.
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

/** What stands in place of a list or of an object that is wanted: anything, or null alone. */
type Types = 'any' | 'strict';

/** What is looked for, and how strictly. */
interface Aim<What> {
  readonly wanted: What;
  readonly types: Types;
}

/** JSON in which a list or an object is wanted and something else stands there. The message says where. */
export class WrongType extends SyntaxError {
  override readonly name = 'WrongType';
}

/** Of `null`. */
const NULL = 0x6e;

function typeAt(bytes: Buffer, at: number): string {
  if (bytes[at] === QUOTE) return 'text';
  if (bytes[at] === OPEN_OBJECT) return 'an object';
  if (bytes[at] === OPEN_LIST) return 'a list';
  return bytes.toString('latin1', at, at + 12).split(/[\s,}\]]/, 1)[0] ?? '';
}

/** Rejects with an `OverBound` where a document that is to be parsed as a whole has too many values. */
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

/** Returns the offset after the object that begins at `brace`. */
function* walkObject(
  bytes: Buffer,
  brace: number,
  { wanted, types }: Aim<Wanted>,
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
    const aim = { wanted: wanted[Object.hasOwn(wanted, key) ? key : '*'], types };
    at = yield* walkValue(bytes, value, aim, prefix + key);
    at = afterBlanks(bytes, at);
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) throw mistake(bytes, at, '"," or "}"');
    at = afterBlanks(bytes, at + 1);
  }
}

function* walkValue(
  bytes: Buffer,
  at: number,
  { wanted, types }: Aim<Wanted[string] | undefined>,
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
  if (wanted === 'place') yield { path, json: undefined };
  const end = yield* passOver(bytes, { at, depth: 0, values: 0 });
  // In place of a list or an object only null means something, and that means nothing.
  if (wanted === 'value') yield { path, json: parsed(bytes, at, end) };
  return end;
}

function* walkList(bytes: Buffer, bracket: number, path: string): Generator<Found | null, number> {
  let at = afterBlanks(bytes, bracket + 1);
  if (bytes[at] === CLOSE_LIST) return at + 1;
  let values = 0;
  for (let size = 1; ; size += 1) {
    if (size > BOUNDS.items) throw new OverBound(`the list has more than ${BOUNDS.items} elements`);
    const walk: Walk = { at, depth: 0, values: 0 };
    const end = yield* passOver(bytes, walk);
    values += walk.values;
    if (values > BOUNDS.listValues) throw new OverBound(`more than ${BOUNDS.listValues} values`);
    const isBomb = walk.values > BOUNDS.values;
    yield isBomb ? refused(bytes.subarray(at, end), path) : { path, json: parsed(bytes, at, end) };
    at = afterBlanks(bytes, end);
    if (bytes[at] === CLOSE_LIST) return at + 1;
    if (bytes[at] !== COMMA) throw mistake(bytes, at, '"," or "]"');
    at = afterBlanks(bytes, at + 1);
  }
}

/** What an app is called, and a task of Mesos, which may have ended. */
const IDENTITY: Wanted = { id: 'value', task_id: 'value', framework_id: 'value', state: 'value' };

/** One element that is a bomb is not parsed, and the others are. */
function refused(element: Buffer, path: string): Found {
  const json: Record<string, unknown> = {};
  if (element[0] === OPEN_OBJECT)
    for (const found of walkJson(element, IDENTITY)) if (found !== null) json[found.path] = found.json;
  return { path, json, refused: tooManyValues() };
}

function parsed(bytes: Buffer, from: number, to: number): unknown {
  return JSON.parse(bytes.toString('utf8', from, to));
}

/** Returns the offset after the value that begins where the walk does. */
function* passOver(bytes: Buffer, walk: Walk): Generator<null, number> {
  const first = bytes[walk.at];
  if (first === QUOTE) return stringEnd(bytes, walk.at);
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) return afterPlain(bytes, walk.at);
  while (!passStretch(bytes, walk)) yield null;
  if (walk.depth > 0) throw mistake(bytes, bytes.length, '"}" or "]"');
  return walk.at;
}

/** A number, `true`, `false` or `null`, checked here since it is not parsed. */
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

/** The UTF-8 byte order mark. */
function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
