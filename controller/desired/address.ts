import ipaddr from 'ipaddr.js';
import type { Family } from '../model.ts';

/** An address with its one text form, the one that the kernel's side of the program uses too. */
export interface Address {
  readonly family: Family;
  /** Dotted decimal, or RFC 5952: `fd01:c::1`. */
  readonly text: string;
  readonly value: bigint;
}

/** The address that `text` writes, strictly: four decimal parts without leading zeros, or IPv6 without brackets and zone. */
export function parseAddress(text: string): Address | null {
  // The patterns come first because ipaddr.js throws and catches inside: 70 us for each name that is no address.
  if (!text.includes(':')) {
    if (!/^[\d.]{7,15}$/.test(text) || !ipaddr.IPv4.isValidFourPartDecimal(text)) return null;
    return { family: 'ipv4', text, value: toValue(ipaddr.IPv4.parse(text)) };
  }
  if (!/^[\da-f:.]+$/i.test(text) || !ipaddr.IPv6.isValid(text)) return null;
  const parsed = ipaddr.IPv6.parse(text);
  return { family: 'ipv6', text: parsed.toRFC5952String(), value: toValue(parsed) };
}

/** The text of an address given as a number; the opposite of `parseAddress`. */
export function formatAddress(family: Family, value: bigint): string {
  if (family === 'ipv4') {
    const bits = Number(value);
    return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
  }
  const parts: number[] = [];
  for (const shift of [96n, 64n, 32n, 0n]) {
    const word = Number((value >> shift) & 0xffffffffn);
    parts.push(word >>> 16, word & 0xffff);
  }
  return new ipaddr.IPv6(parts).toRFC5952String();
}

/** The family of an address that is known to be one. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** The one text form of a backend's address; null for IPv6 text that is none. IPv4 has one form only and passes as it is. */
export function canonicalAddress(address: string): string | null {
  return address.includes(':') ? (parseAddress(address)?.text ?? null) : address;
}

/**
 * Why no VIP can have this address, whatever the host: `127.0.0.1 is a loopback address`. Null when one can.
 * Which addresses belong to someone already is not known here.
 */
export function unusableAsVip(address: Address): string | null {
  const kind = UNUSABLE.get(ipaddr.parse(address.text).range());
  return kind === undefined ? null : `${address.text} is ${kind}, which no VIP can have`;
}

const UNUSABLE: ReadonlyMap<string, string> = new Map([
  ['unspecified', 'an unspecified address'],
  ['loopback', 'a loopback address'],
  ['multicast', 'a multicast address'],
  ['linkLocal', 'a link-local address'],
  ['broadcast', 'the broadcast address'],
  ['ipv4Mapped', 'an IPv4 address in IPv6 form'],
]);

function toValue(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
