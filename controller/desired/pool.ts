import { type Address, bitsOf, type Family, formatAddress, parseAddress } from '../address.ts';

/** The address range of named VIPs in one family; both ends are included. */
export interface Pool {
  readonly family: Family;
  readonly min: bigint;
  readonly max: bigint;
}

/** null: named VIPs have no address and no backends of that family. */
export interface Pools {
  readonly ipv4: Pool | null;
  readonly ipv6: Pool | null;
}

/**
 * Parses `network/prefix`; null when that is not a network (host bits set, prefix out of range).
 *
 * The ends are those of DC/OS, so that a network gives the same addresses: an IPv4 pool excludes its last address
 * (11.255.255.254 is the maximum of 11.0.0.0/8) and includes its first; an IPv6 pool includes all.
 */
export function parsePool(text: string): Pool | null {
  const [network = '', prefixText = '', ...more] = text.split('/');
  const address = parseAddress(network);
  if (address === null || more.length > 0 || !/^\d{1,3}$/.test(prefixText)) return null;

  const bits = bitsOf(address.family);
  const prefix = Number(prefixText);
  if (prefix > bits) return null;

  const size = 1n << BigInt(bits - prefix);
  if (address.value % size !== 0n) return null;
  const last = address.value + size - 1n;
  const max = address.family === 'ipv4' && size > 1n ? last - 1n : last;
  return { family: address.family, min: address.value, max };
}

/** Whether the pool contains this address. */
export function hasAddress(pool: Pool, { family, value }: Address): boolean {
  return family === pool.family && value >= pool.min && value <= pool.max;
}

/** Whether the pool contains the address in this text; false for other text. */
export function inPool(pool: Pool, text: string): boolean {
  const address = parseAddress(text);
  return address !== null && hasAddress(pool, address);
}

/**
 * Returns a function that finds the pool whose network contains a canonical address: the pool as text, or null. The last
 * address of an IPv4 network counts too, although no name gets it.
 */
export function createPoolOf({ ipv4, ipv6 }: Pools): (address: string) => string | null {
  // Plain numbers for IPv4 are fast: there may be a hundred thousand backends.
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
