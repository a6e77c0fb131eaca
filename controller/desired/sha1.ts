/**
 * SHA-1 (FIPS 180-4) as a 160-bit number, from which DC/OS derives IPv6 addresses. It is not used for security.
 *
 * It is implemented here because `desired/` imports no `node:*`; and with a hash function passed in from outside, hosts
 * could disagree about addresses.
 */
export function sha1(bytes: Uint8Array): bigint {
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  const padded = pad(bytes);
  for (let at = 0; at < padded.byteLength; at += BLOCK) compress(state, padded, at);
  return state.reduce((digest, part) => (digest << 32n) | BigInt(part >>> 0), 0n);
}

const BLOCK = 64;
/** The message schedule, reused for every block. */
const schedule = new Int32Array(80);

/** The message, a 1 bit, zeros, and the length in bits as 64-bit big endian, in whole blocks. */
function pad(bytes: Uint8Array): DataView {
  const length = Math.ceil((bytes.length + 9) / BLOCK) * BLOCK;
  const padded = new Uint8Array(length);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(length - 8, BigInt(bytes.length) * 8n);
  return view;
}

function compress(state: Int32Array, message: DataView, at: number): void {
  for (let t = 0; t < 80; t++) {
    schedule[t] =
      t < 16
        ? message.getInt32(at + t * 4)
        : rotate(word(t - 3) ^ word(t - 8) ^ word(t - 14) ^ word(t - 16), 1);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let t = 0; t < 80; t++) {
    const next = (rotate(a, 5) + choose(t, b, c, d) + e + word(t)) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  [a, b, c, d, e].forEach((part, i) => {
    state[i] = (state[i] ?? 0) + part;
  });
}

/** The round function and its constant; `| 0` keeps the sum a small integer for the engine. */
function choose(t: number, b: number, c: number, d: number): number {
  if (t < 20) return (((b & c) | (~b & d)) + 0x5a827999) | 0;
  if (t < 40) return ((b ^ c ^ d) + 0x6ed9eba1) | 0;
  if (t < 60) return (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0;
  return ((b ^ c ^ d) + 0xca62c1d6) | 0;
}

function word(t: number): number {
  return schedule[t] ?? 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
