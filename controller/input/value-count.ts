import { BOUNDS } from './bounds.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

/** How many bytes are counted between two yields: a few milliseconds of work. */
const SLICE_BYTES = 1 << 20;

/**
 * Whether JSON has more values than `most`, before it is parsed: three bytes of text can be an object of fifty bytes. Counts what
 * begins and separates values; keys count too. Yields now and then, so that the caller can pause.
 *
 * Mistakes in the JSON are left to the parser.
 */
export function* hasMoreValues(bytes: Buffer, most: number = BOUNDS.values): Generator<undefined, boolean> {
  // Each value takes a byte at least.
  if (bytes.length <= most) return false;
  let values = 1;
  let inText = false;
  for (let at = 0, sliceEnd = SLICE_BYTES; at < bytes.length; at++) {
    if (at >= sliceEnd) {
      sliceEnd = at + SLICE_BYTES;
      yield;
    }
    switch (bytes[at]) {
      case QUOTE:
        inText = !inText;
        break;
      case BACKSLASH:
        if (inText) at++;
        break;
      case COMMA:
      case COLON:
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (!inText && ++values > most) return true;
        break;
      default:
    }
  }
  return false;
}
