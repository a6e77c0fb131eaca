import { HOST_IS_LE } from './scalars.ts';

/**
 * Typed windows over one whole ArrayBuffer, so that offsets are absolute and nothing needs to be cut out to be read.
 *
 * Values of four bytes and less are read through the typed arrays, which cost a fraction of a DataView's calls in code
 * that has not run for long, as in a program that reads the table once.
 */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly view: DataView;
}

/** Windows over a buffer. */
export function memoryOf(buffer: ArrayBufferLike): Memory {
  return {
    bytes: new Uint8Array(buffer),
    halves: new Uint16Array(buffer, 0, buffer.byteLength >> 1),
    words: new Uint32Array(buffer, 0, buffer.byteLength >> 2),
    view: new DataView(buffer),
  };
}

/** `bytes`, or a copy where they are not aligned to four, as netlink has everything. */
export function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
}

// The checks of bounds are made where attributes are located; an absent one is at 0, where no attribute can be.

export function u8At({ bytes }: Memory, at: number): number {
  return at === 0 ? 0 : (bytes[at] as number);
}

export function u16At({ halves }: Memory, at: number): number {
  return at === 0 ? 0 : (halves[at >> 1] as number);
}

export function u32At({ words }: Memory, at: number): number {
  return at === 0 ? 0 : (words[at >> 2] as number);
}

export function be16At({ bytes }: Memory, at: number): number {
  return at === 0 ? 0 : ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** A 64-bit counter. Most are small, and a bigint of 64 bits is made in two costly steps. */
export function u64At({ words, view }: Memory, at: number): bigint {
  if (at === 0 || ((words[at >> 2] as number) === 0 && (words[(at >> 2) + 1] as number) === 0)) return 0n;
  return view.getBigUint64(at, HOST_IS_LE);
}

/** The same as a number, exact up to 2^53. */
export function u64AsNumberAt({ words }: Memory, at: number): number {
  if (at === 0) return 0;
  const first = words[at >> 2] as number;
  const second = words[(at >> 2) + 1] as number;
  return HOST_IS_LE ? first + 0x1_0000_0000 * second : second + 0x1_0000_0000 * first;
}
