import { networkInterfaces } from 'node:os';
import { canonicalAddress, formatAddress, parseAddress } from '../address.ts';

export interface UnfitOptions {
  /** Our interface, which has the same addresses on every host. */
  readonly interfaceName: string;
  /** Addresses on which this program answers DNS. */
  readonly servers: readonly string[];
  /** Addresses and networks of this host by interface. Default: its current ones. */
  readonly interfaces?: () => Readonly<Record<string, readonly HostAddress[] | undefined>>;
}

interface HostAddress {
  readonly address: string;
  /** Address and prefix; null when the netmask is invalid. */
  readonly cidr: string | null;
}

/** How long the list of addresses is cached. */
const FRESH_MS = 1_000;

/**
 * Returns a function for the addresses that cannot be a backend's on this host, with the reason: those that our own servers
 * listen on, unless the host has them anyway, and the broadcast addresses of its networks, which the kernel refuses as a
 * destination (EINVAL). It returns the same object as long as they are the same. `now` in milliseconds.
 */
export function createUnfitAddresses(
  { interfaceName, servers, interfaces = networkInterfaces }: UnfitOptions,
  now: () => number,
): () => ReadonlyMap<string, string> {
  let known: ReadonlyMap<string, string> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;

  const read = (): ReadonlyMap<string, string> => {
    const found = new Map<string, string>();
    for (const server of servers)
      found.set(
        canonicalAddress(server) ?? server,
        'the address where this program answers DNS (--dns-listen)',
      );
    const others = Object.entries(interfaces()).filter(([name]) => name !== interfaceName);
    for (const [name, addresses] of others) {
      for (const { address, cidr } of addresses ?? []) {
        found.delete(canonicalAddress(address) ?? address);
        const broadcast = cidr === null ? null : broadcastOf(cidr);
        if (broadcast !== null)
          found.set(broadcast, `the broadcast address of ${cidr}, which this host has on ${name}`);
      }
    }
    return found;
  };

  return () => {
    if (now() - readAt <= FRESH_MS) return known;
    readAt = now();
    const found = read();
    const same = found.size === known.size && [...found].every(([address, is]) => known.get(address) === is);
    if (!same) known = found;
    return known;
  };
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
