import { BOUNDS, tooManyValues } from '../bounds.ts';
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
} from './json-bytes.ts';

/**
 * What of a JSON document is wanted: `'value'`, the value of this key; `'each'`, every element of its list; or what is
 * wanted of the object there. All else is passed over without being parsed.
 */
export interface Wanted {
  readonly [key: string]: 'value' | 'each' | Wanted;
}

/** `path`: the keys that lead there, joined by dots. `json` is undefined where an object or list begins of which something is wanted. */
export interface Found {
  readonly path: string;
  readonly json: unknown;
}

/**
 * Walks through a JSON object and gives what is wanted of it, piece by piece: of the state of a large cluster only one
 * task needs to be in memory as JSON at any time. Gives `null` now and then where nothing wanted is, so that whoever
 * walks may rest.
 *
 * Throws a `SyntaxError` when the document is no complete object. What is passed over is checked no further than that
 * its brackets and strings end.
 */
export function* walkJson(bytes: Buffer, wanted: Wanted): Generator<Found | null, void> {
  const start = afterBlanks(bytes, 0);
  if (bytes[start] !== OPEN_OBJECT) throw mistake(bytes, start, 'an object');
  const end = afterBlanks(bytes, yield* walkObject(bytes, start, wanted, ''));
  if (end !== bytes.length) throw mistake(bytes, end, 'the end');
}

/** Returns the offset after the object that begins at `brace`. */
function* walkObject(
  bytes: Buffer,
  brace: number,
  wanted: Wanted,
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
    at = yield* walkValue(bytes, value, Object.hasOwn(wanted, key) ? wanted[key] : undefined, prefix + key);
    at = afterBlanks(bytes, at);
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) throw mistake(bytes, at, '"," or "}"');
    at = afterBlanks(bytes, at + 1);
  }
}

function* walkValue(
  bytes: Buffer,
  at: number,
  wanted: Wanted[string] | undefined,
  path: string,
): Generator<Found | null, number> {
  if (wanted === 'each' && bytes[at] === OPEN_LIST) {
    yield { path, json: undefined };
    return yield* walkList(bytes, at, path);
  }
  if (typeof wanted === 'object' && bytes[at] === OPEN_OBJECT) {
    yield { path, json: undefined };
    return yield* walkObject(bytes, at, wanted, `${path}.`);
  }
  const end = yield* passOver(bytes, { at, depth: 0, values: 0 });
  // In place of a list or an object only null means something, and that means nothing.
  if (wanted === 'value') yield { path, json: parsed(bytes, at, end) };
  return end;
}

function* walkList(bytes: Buffer, bracket: number, path: string): Generator<Found | null, number> {
  let at = afterBlanks(bytes, bracket + 1);
  if (bytes[at] === CLOSE_LIST) return at + 1;
  for (;;) {
    const walk: Walk = { at, depth: 0, values: 0 };
    const end = yield* passOver(bytes, walk);
    // One element that is a bomb is not parsed; its reader finds a text where an object should be.
    yield { path, json: walk.values > BOUNDS.values ? tooManyValues() : parsed(bytes, at, end) };
    at = afterBlanks(bytes, end);
    if (bytes[at] === CLOSE_LIST) return at + 1;
    if (bytes[at] !== COMMA) throw mistake(bytes, at, '"," or "]"');
    at = afterBlanks(bytes, at + 1);
  }
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

/** A number, `true`, `false` or `null`, which must be one: nobody else looks at it. */
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
