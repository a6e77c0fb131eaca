import { IpvsError } from './errors.ts';

/**
 * Encodes and decodes one attribute value.
 *
 * Integers are in host byte order, as usual in netlink; big-endian codecs have `be` in their name.
 */
export interface Codec<T> {
  /** Name of the type, for error messages: `u16`. */
  readonly name: string;
  /** Minimum length of a well-formed value, in bytes. */
  readonly minBytes: number;
  /** Encoded size of `value` in bytes, without attribute header and padding. */
  size(value: T): number;
  write(view: DataView, at: number, value: T): void;
  /**
   * Reads the value in the `length` bytes at `at`. `length` is at least `minBytes`, and may be more, since newer kernels append
   * to structures. The result does not share memory with `view`. Throws `malformed-reply`.
   */
  read(view: DataView, at: number, length: number): T;
}

/** A codec for integers of at most 32 bits, which {@link readInteger} can read. */
export interface IntegerCodec extends Codec<number> {
  readonly layout: Layout;
}

/** Width and byte order of an integer. */
export type Layout = 'u8' | 'u16' | 'u32' | 'be16' | 'be32';

/** Whether this host is little-endian, as all Linux platforms of Node except s390x are. */
export const HOST_IS_LE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Reads an integer of any layout. V8 inlines this single function into the loop over a reply's attributes (98 bytes of
 * bytecode in Node 24, see `--trace-turbo-inlining`), where a call of a codec for each value would dominate the cost.
 */
export function readInteger(view: DataView, at: number, layout: Layout): number {
  if (layout === 'u32') return view.getUint32(at, HOST_IS_LE);
  if (layout === 'be16') return view.getUint16(at);
  if (layout === 'u16') return view.getUint16(at, HOST_IS_LE);
  return layout === 'u8' ? view.getUint8(at) : view.getUint32(at);
}

function integer(
  layout: Layout,
  bytes: 1 | 2 | 4,
  set: (view: DataView, at: number, value: number) => void,
): IntegerCodec {
  const max = 2 ** (8 * bytes) - 1;
  const codec: Codec<number> = {
    name: layout,
    minBytes: bytes,
    size: () => bytes,
    write(view, at, value) {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        throw new IpvsError('invalid', `${value} is not a ${layout}: expected an integer from 0 to ${max}`);
      }
      set(view, at, value);
    },
    read: (view, at) => readInteger(view, at, layout),
  };
  // Not enumerable: a codec made by spreading this one with another `read` must not inherit it.
  return Object.defineProperty(codec, 'layout', { value: layout }) as IntegerCodec;
}

/** An unsigned byte. */
export const u8 = integer('u8', 1, (view, at, value) => view.setUint8(at, value));
/** An unsigned 16-bit integer. */
export const u16 = integer('u16', 2, (view, at, value) => view.setUint16(at, value, HOST_IS_LE));
/** An unsigned 32-bit integer. */
export const u32 = integer('u32', 4, (view, at, value) => view.setUint32(at, value, HOST_IS_LE));
/** An unsigned 16-bit integer in network byte order, as ports are. */
export const be16 = integer('be16', 2, (view, at, value) => view.setUint16(at, value));
/** An unsigned 32-bit integer in network byte order. */
export const be32 = integer('be32', 4, (view, at, value) => view.setUint32(at, value));

/** A 64-bit integer, always as a `bigint`, since counters may exceed 2^53. */
export const u64: Codec<bigint> = {
  name: 'u64',
  minBytes: 8,
  size: () => 8,
  write(view, at, value) {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw new IpvsError('invalid', `${value} is not a u64: expected an integer from 0 to 2^64 - 1`);
    }
    view.setBigUint64(at, value, HOST_IS_LE);
  },
  read(view, at) {
    // Most counters are 0, and making a 64-bit bigint is costly.
    if (view.getUint32(at) === 0 && view.getUint32(at + 4) === 0) return 0n;
    return view.getBigUint64(at, HOST_IS_LE);
  },
};

/** A 64-bit integer in network byte order, as in netfilter's counters and times. */
export const be64: Codec<bigint> = {
  ...u64,
  name: 'be64',
  write(view, at, value) {
    u64.write(view, at, value);
    view.setBigUint64(at, value);
  },
  read: (view, at) => view.getBigUint64(at),
};

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A NUL-terminated string, read up to the first NUL. */
export const cstring: Codec<string> = {
  name: 'string',
  minBytes: 0,
  size: (value) => utf8.encode(value).length + 1,
  write(view, at, value) {
    if (value.includes('\0')) throw new IpvsError('invalid', `${JSON.stringify(value)} contains a NUL`);
    const bytes = utf8.encode(value);
    const target = new Uint8Array(view.buffer, view.byteOffset + at, bytes.length + 1);
    target.set(bytes);
    target[bytes.length] = 0;
  },
  read(view, at, length) {
    let ascii = '';
    for (let index = at; index < at + length; index++) {
      const byte = view.getUint8(index);
      if (byte === 0) return ascii;
      // TextDecoder costs more than the rest of the message, and the kernel's names are ASCII.
      if (byte > 0x7f) return decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
      ascii += String.fromCharCode(byte);
    }
    return ascii;
  },
};

function decode(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return text.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Raw bytes. Reading returns a copy. */
export const raw: Codec<Uint8Array> = {
  name: 'bytes',
  minBytes: 0,
  size: (value) => value.length,
  write: (view, at, value) => new Uint8Array(view.buffer, view.byteOffset + at, value.length).set(value),
  // The view may start within its buffer, as a Buffer does. Unlike that of a Buffer, `slice` of a Uint8Array copies.
  read: (view, at, length) => new Uint8Array(view.buffer, view.byteOffset + at, length).slice(),
};

/** An attribute without a value: `true` if present. */
export const flag: Codec<true> = {
  name: 'flag',
  minBytes: 0,
  size: () => 0,
  write: () => undefined,
  read: () => true,
};

/** `struct ip_vs_flags`: flags, and a mask of those that apply. */
export interface MaskedFlags {
  readonly value: number;
  readonly mask: number;
}

/** `struct ip_vs_flags` in eight bytes: value, then mask. The kernel changes only the bits in the mask. */
export const maskedFlags: Codec<MaskedFlags> = {
  name: 'flags with mask',
  minBytes: 8,
  size: () => 8,
  write(view, at, { value, mask }) {
    u32.write(view, at, value);
    u32.write(view, at + 4, mask);
  },
  read(view, at) {
    return { value: view.getUint32(at, HOST_IS_LE), mask: view.getUint32(at + 4, HOST_IS_LE) };
  },
};
