import type { Family } from '../model.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';

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

/** `11.0.0.0 to 11.255.255.254`. */
export function formatPool({ family, min, max }: Pool): string {
  return `${formatAddress(family, min)} to ${formatAddress(family, max)}`;
}
