/** JSON as bytes: its punctuation, and passing over values without parsing them. */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/** The offset after the string whose opening quote is at `from`; null when it does not end. */
export function afterString(bytes: Buffer, from: number): number | null {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at + 1;
  }
  return null;
}

/** The offset of the first byte from `from` on that is no white space. */
export function afterBlanks(bytes: Buffer, from: number): number {
  let at = from;
  let byte = bytes[at];
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at];
  return at;
}

/** How far a walk through JSON has come. */
export interface Walk {
  at: number;
  /** Brackets of both kinds are counted alike: what they enclose is parsed later, and a mismatch is found then. */
  depth: number;
  /** About how many there are so far. */
  values: number;
}

/** So much is passed over at once; a few milliseconds. */
const STRETCH = 1 << 20;

const OPENS = 1;
const CLOSES = 2;
const SEPARATES = 3;
const QUOTES = 4;

/** What a byte of JSON does; most do nothing. */
const KINDS = new Uint8Array(256);
for (const byte of [OPEN_OBJECT, OPEN_LIST]) KINDS[byte] = OPENS;
for (const byte of [CLOSE_OBJECT, CLOSE_LIST]) KINDS[byte] = CLOSES;
for (const byte of [COMMA, COLON]) KINDS[byte] = SEPARATES;
KINDS[QUOTE] = QUOTES;

/** Goes on for a stretch; whether the value has ended, or the bytes have. */
export function passStretch(bytes: Buffer, walk: Walk): boolean {
  const limit = Math.min(walk.at + STRETCH, bytes.length);
  let { at, depth, values } = walk;
  let ended = false;
  while (at < limit && !ended) {
    const kind = KINDS[bytes[at] ?? 0];
    // A plain value ends before what follows it.
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
  walk.at = at;
  walk.depth = depth;
  walk.values = values;
  return ended || at < limit || at >= bytes.length;
}
