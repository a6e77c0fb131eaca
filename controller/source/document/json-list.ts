import {
  afterBlanks,
  afterString,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
} from './json-bytes.ts';

/** A document that is one list, `[…]` or `{"KEY": […]}`. */
export interface JsonList {
  readonly key: string | null;
  /** Parses one element after the other; throws a `SyntaxError` at one that is no JSON. */
  readonly elements: Iterable<unknown>;
}

/**
 * Takes a list of objects apart without parsing it as a whole: of a list of ten thousand apps only one needs
 * to be in memory as JSON at any time. Null for any other document, valid or not, and for a list that holds
 * anything but objects.
 */
export function splitList(bytes: Buffer): JsonList | null {
  const start = afterBlanks(bytes, startsWithMark(bytes) ? 3 : 0);
  const head = bytes[start] === OPEN_OBJECT ? keyAt(bytes, start) : { key: null, next: start };
  if (head === null || bytes[head.next] !== OPEN_LIST) return null;

  const bounds: number[] = [];
  let at = boundsOf(bytes, head.next, bounds);
  if (bytes[at] !== CLOSE_LIST) return null;
  at = afterBlanks(bytes, at + 1);
  if (head.key !== null) {
    if (bytes[at] !== CLOSE_OBJECT) return null;
    at = afterBlanks(bytes, at + 1);
  }
  if (at !== bytes.length) return null;
  return { key: head.key, elements: { [Symbol.iterator]: () => parsed(bytes, bounds) } };
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

/** Collects where each element begins and ends, and gives the place where the list's end is expected. */
function boundsOf(bytes: Buffer, bracket: number, bounds: number[]): number {
  let at = afterBlanks(bytes, bracket + 1);
  if (bytes[at] === CLOSE_LIST) return at;
  for (;;) {
    if (bytes[at] !== OPEN_OBJECT) return bytes.length;
    const end = afterObject(bytes, at);
    bounds.push(at, end);
    at = afterBlanks(bytes, end);
    if (bytes[at] !== COMMA) return at;
    at = afterBlanks(bytes, at + 1);
  }
}

function* parsed(bytes: Buffer, bounds: readonly number[]): Generator<unknown> {
  for (let i = 0; i < bounds.length; i += 2)
    yield JSON.parse(bytes.toString('utf8', bounds[i], bounds[i + 1]));
}

/** Counts brackets of both kinds alike: what they enclose is parsed later, and a mismatch is found then. */
function afterObject(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = (afterString(bytes, at) ?? bytes.length) - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_LIST) && --depth === 0) return at + 1;
  }
  return bytes.length;
}

/** The UTF-8 byte order mark. */
function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
