import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Endpoint } from '../../model.ts';

/**
 * An IP address in its one short form (`fd01:b::2`), or null for any other text; IPv6 zones are no address for a
 * backend. Keys are compared as text, with what the kernel prints, so there must be one form.
 */
export function ipAddress(text: string | null | undefined): string | null {
  if (!text) return null;
  const family = isIP(text);
  if (family === 4) return text;
  if (family !== 6 || text.includes('%')) return null;
  return ipaddr.IPv6.parse(text).toRFC5952String();
}

/** One endpoint per usable address, each address once. */
export function endpointsAt(
  addresses: readonly (string | null | undefined)[],
  port: number,
): readonly Endpoint[] {
  const known = new Set<string>();
  for (const text of addresses) {
    const address = ipAddress(text);
    if (address !== null) known.add(address);
  }
  return [...known].map((address) => ({ address, port }));
}
