import { canonicalText, formatAddress, parseAddress } from '../address.ts';
import { type HostAddress, ofHostAddresses } from './host-addresses.ts';

/**
 * Returns a function for the addresses that cannot be a backend's on this host, with the reason: those that our own servers
 * listen on, unless the host has them anyway, and the broadcast addresses of its networks, which the kernel refuses as a
 * destination (EINVAL). It returns the same object as long as they are the same.
 */
export function createUnfitAddresses(
  hostAddresses: () => readonly HostAddress[],
  servers: readonly string[],
): () => ReadonlyMap<string, string> {
  return ofHostAddresses(hostAddresses, (addresses) => {
    const found = new Map<string, string>();
    for (const server of servers)
      found.set(canonicalText(server), 'the address where this program answers DNS (--dns-listen)');
    for (const { interfaceName, address, cidr } of addresses) {
      found.delete(address);
      const broadcast = cidr === null ? null : broadcastOf(cidr);
      if (broadcast !== null)
        found.set(broadcast, `the broadcast address of ${cidr}, which this host has on ${interfaceName}`);
    }
    return found;
  });
}

/** null for IPv6, and for a network of one or two addresses: these have no broadcast address. */
function broadcastOf(cidr: string): string | null {
  const [text = '', bits] = cidr.split('/');
  const address = parseAddress(text);
  const prefix = Number(bits);
  if (address === null || address.family === 'ipv6' || !(prefix <= 30)) return null;
  const size = 1n << BigInt(32 - prefix);
  return formatAddress('ipv4', address.value - (address.value % size) + size - 1n);
}
