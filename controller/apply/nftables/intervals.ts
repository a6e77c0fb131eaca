import ipaddr from 'ipaddr.js';
import { bitsOf, type Family } from '../../address.ts';

/** The start or end of a range in a set: nf_tables has the ends of ranges as separate elements. */
export interface Boundary {
  readonly key: Uint8Array;
  /** Whether it is an end: the first address behind a range. */
  readonly end: boolean;
}

/**
 * The boundaries of a set with these networks (`11.0.0.0/8`) and addresses, ascending, as `nft` writes them: ranges that touch
 * or overlap are merged, and an end at address zero comes before the first.
 */
export function boundaries(family: Family, members: readonly string[]): readonly Boundary[] {
  const ranges = members.map((member) => rangeOf(family, member));
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: { first: bigint; after: bigint }[] = [];
  for (const { first, after } of ranges) {
    const last = merged.at(-1);
    if (last === undefined || first > last.after) merged.push({ first, after });
    else if (after > last.after) last.after = after;
  }

  const found: Boundary[] = [];
  const beyond = 1n << BigInt(bitsOf(family));
  const add = (value: bigint, end: boolean) => found.push({ key: bytesOf(family, value), end });
  if (merged[0] !== undefined && merged[0].first > 0n) add(0n, true);
  for (const { first, after } of merged) {
    add(first, false);
    if (after < beyond) add(after, true);
  }
  return found;
}

function rangeOf(family: Family, member: string): { readonly first: bigint; readonly after: bigint } {
  const [address = '', prefix = String(bitsOf(family))] = member.split('/');
  const first = ipaddr
    .parse(address)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return { first, after: first + (1n << BigInt(bitsOf(family) - Number(prefix))) };
}

function bytesOf(family: Family, value: bigint): Uint8Array {
  const length = bitsOf(family) / 8;
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 0xffn));
}
