import { type Address, formatAddress, parseAddress } from '../address.ts';
import type { Family } from '../model.ts';

/** The range from which named VIPs of one family get their addresses, both ends included. */
export interface Pool {
  readonly family: Family;
  readonly min: bigint;
  readonly max: bigint;
}

/** null: names get no address of that family, and backends of that family do not serve named VIPs. */
export interface Pools {
  readonly ipv4: Pool | null;
  readonly ipv6: Pool | null;
}

/**
 * The pool that `network/prefix` describes, or null when it is no network (host bits set, prefix out of bounds).
 *
 * The ends are those of DC/OS, so that the same network gives the same addresses: an IPv4 pool leaves out its last
 * address (11.255.255.254 is the maximum of 11.0.0.0/8) and keeps its first, an IPv6 pool has all.
 */
export function parsePool(text: string): Pool | null {
  const [network = '', prefixText = '', ...more] = text.split('/');
  const address = parseAddress(network);
  if (address === null || more.length > 0 || !/^\d{1,3}$/.test(prefixText)) return null;

  const bits = address.family === 'ipv4' ? 32 : 128;
  const prefix = Number(prefixText);
  if (prefix > bits) return null;

  const size = 1n << BigInt(bits - prefix);
  if (address.value % size !== 0n) return null;
  const last = address.value + size - 1n;
  const max = address.family === 'ipv4' && size > 1n ? last - 1n : last;
  return { family: address.family, min: address.value, max };
}

/** Whether the pool has this address. */
export function hasAddress(pool: Pool, { family, value }: Address): boolean {
  return family === pool.family && value >= pool.min && value <= pool.max;
}

/** Whether the pool has the address of this text; the text may be anything. */
export function inPool(pool: Pool, text: string): boolean {
  const address = parseAddress(text);
  return address !== null && hasAddress(pool, address);
}

/**
 * Makes the function that tells the pool's text where an address lies in the network of one; null where it lies in none.
 * Also the last address of an IPv4 network counts, which no name gets. The address must be canonical.
 */
export function createPoolOf({ ipv4, ipv6 }: Pools): (address: string) => string | null {
  // IPv4 by numbers: there may be a hundred thousand backends.
  const [first, last] =
    ipv4 === null ? [1, 0] : [Number(ipv4.min), Number(ipv4.max) + (ipv4.max > ipv4.min ? 1 : 0)];
  return (address) => {
    if (address.includes(':')) return ipv6 !== null && inPool(ipv6, address) ? formatPool(ipv6) : null;
    const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    return ipv4 !== null && value >= first && value <= last ? formatPool(ipv4) : null;
  };
}

/** `11.0.0.0 to 11.255.255.254`. */
export function formatPool({ family, min, max }: Pool): string {
  return `${formatAddress(family, min)} to ${formatAddress(family, max)}`;
}
