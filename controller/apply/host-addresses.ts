import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/** How long the list of addresses is cached. */
const FRESH_MS = 1_000;

/**
 * Returns a function for the addresses of this host, without those of our interface. It returns the same object as long as
 * they are the same. `now` in milliseconds.
 */
export function createHostAddresses(interfaceName: string, now: () => number): () => ReadonlySet<string> {
  let known: ReadonlySet<string> = new Set();
  let readAt = Number.NEGATIVE_INFINITY;

  return () => {
    if (now() - readAt <= FRESH_MS) return known;
    readAt = now();
    const found = read(interfaceName);
    if (found.size !== known.size || [...found].some((address) => !known.has(address))) known = found;
    return known;
  };
}

function read(except: string): Set<string> {
  const found = new Set<string>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (name === except) continue;
    for (const { address, family } of addresses ?? [])
      found.add(family === 'IPv6' ? ipaddr.IPv6.parse(address).toRFC5952String() : address);
  }
  return found;
}
