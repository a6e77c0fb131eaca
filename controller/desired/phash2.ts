/**
 * Erlang's `erlang:phash2(Binary, Range)`: a number from 0 to `range` - 1, by which DC/OS chose IPv4 addresses.
 *
 * It is Bob Jenkins' "lookup2" of 1996 with Erlang's start value (`make_hash2` in ERTS `utils.c`).
 */
export function phash2(bytes: Uint8Array, range: number): number {
  let a = GOLDEN_RATIO;
  let b = GOLDEN_RATIO;
  let c = BINARY_SEED;

  // Erlang's block is 12 bytes; in the last one, byte 8 onwards lies above the length that is added to c.
  const whole = bytes.length - (bytes.length % 12);
  for (let at = 0; at <= whole; at += 12) {
    a += word(bytes, at);
    b += word(bytes, at + 4);
    c += at < whole ? word(bytes, at + 8) : bytes.length + (word(bytes, at + 8) << 8);

    // The nine lines of lookup2's mix; `| 0` and `>>>` keep 32 bits.
    a = (a - b - c) ^ (c >>> 13);
    b = (b - c - a) ^ (a << 8);
    c = (c - a - b) ^ (b >>> 13);
    a = (a - b - c) ^ (c >>> 12);
    b = (b - c - a) ^ (a << 16);
    c = (c - a - b) ^ (b >>> 5);
    a = (a - b - c) ^ (c >>> 3);
    b = (b - c - a) ^ (a << 10);
    c = (c - a - b) ^ (b >>> 15);
  }
  return (c >>> 0) % range;
}

const GOLDEN_RATIO = 0x9e3779b9;
/** 13 * GOLDEN_RATIO, cut to 32 bits: HCONST_13, the start value for binaries. */
const BINARY_SEED = 0x08d12e65;

/** Four bytes, little endian; those past the end count as 0. */
function word(bytes: Uint8Array, at: number): number {
  const byte = (i: number): number => bytes[at + i] ?? 0;
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
}
