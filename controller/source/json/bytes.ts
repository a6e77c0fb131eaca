/** Scanning JSON bytes: punctuation, and skipping values without parsing them. */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/** The offset after the string whose opening quote is at `from`; null when the string is not closed. */
export function afterString(bytes: Buffer, from: number): number | null {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at + 1;
  }
  return null;
}

/** The offset of the first byte at or after `from` that is not white space. */
export function afterBlanks(bytes: Buffer, from: number): number {
  let at = from;
  let byte = bytes[at];
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at];
  return at;
}

/** The position of a scan through JSON. */
export interface Scan {
  at: number;
  /** Nesting depth. Both kinds of brackets count alike: the enclosed text is parsed later, which finds a mismatch. */
  depth: number;
  /** Approximate number of values so far. */
  values: number;
}

/** How many bytes are skipped in one call: a few milliseconds of work. */
const CHUNK_BYTES = 1 << 20;

const OPENS = 1;
const CLOSES = 2;
const SEPARATES = 3;
const QUOTES = 4;

/** The kind of each byte; most have none. */
const KINDS = new Uint8Array(256);
for (const byte of [OPEN_OBJECT, OPEN_LIST]) KINDS[byte] = OPENS;
for (const byte of [CLOSE_OBJECT, CLOSE_LIST]) KINDS[byte] = CLOSES;
for (const byte of [COMMA, COLON]) KINDS[byte] = SEPARATES;
KINDS[QUOTE] = QUOTES;

/** Skips up to one chunk. Returns whether the value, or the input, has ended. */
export function skipChunk(bytes: Buffer, scan: Scan): boolean {
  const limit = Math.min(scan.at + CHUNK_BYTES, bytes.length);
  let { at, depth, values } = scan;
  let ended = false;
  while (at < limit && !ended) {
    const kind = KINDS[bytes[at] ?? 0];
    // A number, `true`, `false` or `null` ends before the next separator.
    if (depth === 0 && (kind === CLOSES || kind === SEPARATES)) break;
    if (kind === QUOTES) {
      at = afterString(bytes, at) ?? bytes.length;
      ended = depth === 0;
      continue;
    }
    at++;
    if (kind === OPENS || kind === SEPARATES) values++;
    if (kind === OPENS) depth++;
    else if (kind === CLOSES) ended = --depth === 0;
  }
  scan.at = at;
  scan.depth = depth;
  scan.values = values;
  return ended || at < limit || at >= bytes.length;
}
