import { align4 } from './align.ts';
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

/** Windows over a new buffer, which begins with zeros. */
export function createMemory(size: number): Memory {
  const buffer = new ArrayBuffer(RESERVED + size);
  return {
    bytes: new Uint8Array(buffer),
    halves: new Uint16Array(buffer),
    words: new Uint32Array(buffer),
    view: new DataView(buffer),
  };
}

/**
 * Bytes at the beginning that are never written to. An attribute that is absent counts as being at offset 0, so that
 * reading it needs no test and gives zero.
 */
export const RESERVED = 16;

/** A part of a memory. */
export interface Extent {
  readonly memory: Memory;
  readonly from: number;
  readonly to: number;
}

/** A memory of its own for some bytes, which are then also aligned to four, as netlink has everything. */
export function memoryWith(bytes: Uint8Array): Extent {
  const memory = createMemory(align4(bytes.length));
  memory.bytes.set(bytes, RESERVED);
  return { memory, from: RESERVED, to: RESERVED + bytes.length };
}

/** A 64-bit counter. Most are small, and a bigint of 64 bits is made in two costly steps. */
export function u64At({ words, view }: Memory, at: number): bigint {
  if ((words[at >> 2] as number) === 0 && (words[(at >> 2) + 1] as number) === 0) return 0n;
  return view.getBigUint64(at, HOST_IS_LE);
}

/** The same as a number, exact up to 2^53. */
export function u64AsNumberAt({ words }: Memory, at: number): number {
  const first = words[at >> 2] as number;
  const second = words[(at >> 2) + 1] as number;
  return HOST_IS_LE ? first + 0x1_0000_0000 * second : second + 0x1_0000_0000 * first;
}
