import { isIPv6 } from 'node:net';
import { viewOf } from './codec.ts';
import { IpvsError } from './errors.ts';
import { HOST_IS_LE } from './scalars.ts';
import type { AddressFamily } from './types.ts';
import { AF_INET, AF_INET6 } from './uapi.ts';

/** Size of `union nf_inet_addr`: sixteen bytes for both families, with IPv4 in the first four. */
export const ADDRESS_SIZE = 16;

/** Bits of an address, which is also the maximum prefix length. */
export function addressBits(family: AddressFamily): number {
  return family === 'ipv4' ? 32 : 128;
}

/** AF_INET or AF_INET6. */
export function familyNumber(family: AddressFamily): number {
  return family === 'ipv4' ? AF_INET : AF_INET6;
}

/** The family for AF_INET or AF_INET6. Throws `malformed-reply` for any other number. */
export function familyOfNumber(number: number): AddressFamily {
  if (number === AF_INET) return 'ipv4';
  if (number === AF_INET6) return 'ipv6';
  throw new IpvsError('malformed-reply', `address family ${number} is neither IPv4 nor IPv6`);
}

/** The family of an address. Does not check that the address is valid. */
export function familyOf(address: string): AddressFamily {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** Parses an address into its sixteen bytes. Throws `invalid` if it is not an IPv4 or IPv6 address. */
export function parseAddress(text: string): Uint8Array {
  const bytes = new Uint8Array(ADDRESS_SIZE);
  writeAddress(text, familyOf(text), bytes, 0);
  return bytes;
}

/** Writes an address at `at`, over zeros or another address of the same family. Throws `invalid`. */
export function writeAddress(text: string, family: AddressFamily, bytes: Uint8Array, at: number): void {
  if (family === 'ipv6') {
    writeIpv6(text, bytes, at);
    return;
  }
  // Parsed by hand in one pass: this is the inner loop when a large table is written.
  let octet = 0;
  let digits = 0;
  let octets = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (digits === 0 || octets === 3) throw notAnAddress(text);
      bytes[at + octets++] = octet;
      octet = 0;
      digits = 0;
    } else {
      octet = octet * 10 + code - DIGIT_0;
      // No leading zeros: some programs read "010" as octal.
      if (code < DIGIT_0 || code > DIGIT_9 || octet > 255 || (digits > 0 && octet < 10))
        throw notAnAddress(text);
      digits++;
    }
  }
  if (digits === 0 || octets !== 3) throw notAnAddress(text);
  bytes[at + 3] = octet;
}

const DOT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

function notAnAddress(text: string): IpvsError {
  return new IpvsError('invalid', `${JSON.stringify(text)} is not an IPv4 or IPv6 address`);
}

function writeIpv6(text: string, bytes: Uint8Array, at: number): void {
  if (!isIPv6(text) || text.includes('%')) throw notAnAddress(text);
  bytes.fill(0, at, at + ADDRESS_SIZE);
  const [head = '', tail] = text.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  before.forEach((group, index) => {
    bytes[at + 2 * index] = group >> 8;
    bytes[at + 2 * index + 1] = group;
  });
  after.forEach((group, index) => {
    const offset = at + ADDRESS_SIZE - 2 * (after.length - index);
    bytes[offset] = group >> 8;
    bytes[offset + 1] = group;
  });
}

/** The 16-bit groups on one side of `::`. The address must be valid. */
function groups(side: string): number[] {
  if (side === '') return [];
  return side.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const v4 = new Uint8Array(4);
    writeAddress(group, 'ipv4', v4, 0);
    return [((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0)];
  });
}

/** Formats an address. Throws `malformed-reply` if there are too few bytes. */
export function formatAddress(bytes: Uint8Array, family: AddressFamily): string {
  return formatAddressAt(viewOf(bytes), 0, bytes.length, family);
}

/** Formats the address in the bytes `from` to `to` of `view`. Throws `malformed-reply` if there are too few. */
export function formatAddressAt(view: DataView, from: number, to: number, family: AddressFamily): string {
  if (to - from < (family === 'ipv4' ? 4 : ADDRESS_SIZE)) {
    throw new IpvsError('malformed-reply', `${family} address in ${to - from} bytes`);
  }
  if (family === 'ipv6') return formatIpv6(view, from);
  // Many backends share few hosts, so most addresses were formatted before; sharing the text also saves memory.
  const number = view.getUint32(from);
  const slot = (number ^ (number >>> 12)) & (CACHE_SLOTS - 1);
  const known = texts[slot];
  if (known !== undefined && numbers[slot] === number) return known;
  const dotted = (shift: number): string => dottedOctets[(number >>> shift) & 0xff] as string;
  const text = dotted(24) + dotted(16) + dotted(8) + String(number & 0xff);
  numbers[slot] = number;
  texts[slot] = text;
  return text;
}

// Concatenating these creates half as many intermediate strings.
const dottedOctets = Array.from({ length: 256 }, (_, octet) => `${octet}.`);

/** Slots of the cache of formatted IPv4 addresses, which is direct-mapped. A power of two. */
const CACHE_SLOTS = 4_096;
const numbers = new Uint32Array(CACHE_SLOTS);
const texts = new Array<string | undefined>(CACHE_SLOTS).fill(undefined);

/** Formats as in RFC 5952: lower case, no leading zeros, `::` for the first longest run of two or more zero groups. */
function formatIpv6(view: DataView, from: number): string {
  const all = Array.from({ length: 8 }, (_, index) => view.getUint16(from + 2 * index));
  let [start, length] = [0, 0];
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && all[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hex(all);
  // A mapped IPv4 address keeps its dotted form, as in inet_ntop and ipvsadm.
  if (start === 0 && length === 5 && all[5] === 0xffff) {
    return `::ffff:${formatAddressAt(view, from + 12, from + ADDRESS_SIZE, 'ipv4')}`;
  }
  return `${hex(all.slice(0, start))}::${hex(all.slice(start + length))}`;
}

/**
 * IPVS_SVC_ATTR_NETMASK for a prefix length: four bytes in network order for IPv4, a host-order length for IPv6
 * (`ip_vs_genl_parse_service` copies the same u32 into `netmask`, which ip_vs_add_service reads as a length for IPv6).
 */
export function netmaskBytes(prefixLength: number, family: AddressFamily): Uint8Array {
  if (!Number.isInteger(prefixLength) || prefixLength < 1 || prefixLength > addressBits(family)) {
    const range = `1 to ${addressBits(family)}`;
    throw new IpvsError('invalid', `prefix length ${prefixLength}: expected an integer from ${range}`);
  }
  const bytes = new Uint8Array(4);
  if (family === 'ipv6') new Uint32Array(bytes.buffer)[0] = prefixLength;
  else new DataView(bytes.buffer).setUint32(0, (0xffff_ffff << (32 - prefixLength)) >>> 0);
  return bytes;
}

/** The inverse of {@link netmaskBytes}. For a non-contiguous mask, which only other programs write, counts the leading ones. */
export function prefixLengthOf(view: DataView, from: number, to: number, family: AddressFamily): number {
  if (to - from < 4) throw new IpvsError('malformed-reply', `netmask in ${to - from} bytes`);
  return family === 'ipv6' ? view.getUint32(from, HOST_IS_LE) : Math.clz32(~view.getUint32(from));
}
