import { getServers } from 'node:dns';
import { readFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { canonicalWithoutZone } from '../address.ts';
import { type HostAddress, ofHostAddresses } from './host-addresses.ts';

export interface RealAddressOptions {
  /** Returns the addresses of this host, without those of our own interface. */
  readonly hostAddresses: () => readonly HostAddress[];
  /** Returns the servers of the sources by canonical address, with their URLs. */
  readonly sources: () => ReadonlyMap<string, string>;
  /** Addresses that our servers listen on. */
  readonly servers?: readonly string[];
  /** Networks of the named VIPs, in which VIPs are allowed even when the host is connected to them. */
  readonly pools?: readonly string[];
  /** Allow VIPs in networks that this host is connected to. */
  readonly allowConnectedVips?: boolean;
  /** Name servers of this host. Default: those of its configuration. */
  readonly nameServers?: () => readonly string[];
}

/** A network that this host is connected to. */
interface Connected {
  readonly network: [ipaddr.IPv4 | ipaddr.IPv6, number];
  readonly reason: string;
}

/** How long the list of name servers is cached. */
const FRESH_MS = 1_000;

export interface RealAddresses {
  /** Why a VIP may not have an address; null when it may. */
  refusal(address: string): string | null;
  /** The same, only for addresses that this program depends on: of a source or a name server. */
  taken(address: string): string | null;
}

/**
 * Refuses addresses for VIPs: this host's own, those of name servers and sources, and those in networks of this host, which
 * another host may have. A VIP at such an address cuts every host off from the real one (kubernetes #127410, #75290).
 */
export function createRealAddresses(options: RealAddressOptions, now: () => number): RealAddresses {
  const { nameServers = configuredNameServers, sources } = options;
  const servers = (options.servers ?? []).map(canonicalWithoutZone);
  const pools = (options.pools ?? []).map((pool) => ipaddr.parseCIDR(pool));
  let known: ReadonlySet<string> = new Set();
  let readAt = Number.NEGATIVE_INFINITY;

  const ofHost = ofHostAddresses(options.hostAddresses, (addresses) => {
    const reasons = new Map<string, string>();
    const networks: Connected[] = [];
    for (const server of servers) reasons.set(server, 'names are answered there (--dns-listen)');
    for (const { interfaceName, address, cidr } of addresses) {
      reasons.set(address, `this host has it on ${interfaceName}`);
      if (cidr !== null && !options.allowConnectedVips) networks.push(connected(cidr, interfaceName));
    }
    return { reasons, networks };
  });

  function inNetwork(text: string): string | null {
    const address = ipaddr.parse(text);
    if (pools.some((pool) => contains(pool, address))) return null;
    return ofHost().networks.find(({ network }) => contains(network, address))?.reason ?? null;
  }

  const isNameServer = (address: string): boolean => {
    if (now() - readAt > FRESH_MS) {
      known = new Set(nameServers().map(canonicalWithoutZone));
      readAt = now();
    }
    return known.has(address);
  };
  const taken = (text: string): string | null => {
    const address = canonicalWithoutZone(text);
    const source = sources().get(address);
    if (source !== undefined) return `it is the address of the source ${source}`;
    return isNameServer(address) ? 'it is the address of a name server of this host' : null;
  };
  return {
    taken,
    refusal: (address) =>
      taken(address) ?? ofHost().reasons.get(canonicalWithoutZone(address)) ?? inNetwork(address),
  };
}

function connected(cidr: string, interfaceName: string): Connected {
  const network = ipaddr.parseCIDR(cidr);
  const family = network[0].kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const text = `${family.networkAddressFromCIDR(cidr).toString()}/${network[1]}`;
  const risk = 'and another host there may have it';
  return {
    network,
    reason: `it is in the network ${text}, which this host is connected to by ${interfaceName}, ${risk}: --allow-connected-vips permits it`,
  };
}

function contains([network, prefix]: Connected['network'], address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, prefix);
}

/** The second file has the name servers that systemd-resolved uses; the first one then has only systemd-resolved itself. */
const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** Reads the current configuration: Node's list is the one from its start. */
function configuredNameServers(): readonly string[] {
  return [...getServers(), ...RESOLVER_FILES.flatMap(nameServersIn)];
}

function nameServersIn(path: string): readonly string[] {
  try {
    const lines = readFileSync(path, 'utf8').matchAll(/^\s*nameserver\s+(\S+)/gm);
    return [...lines].flatMap(([, address]) => address ?? []);
  } catch {
    return [];
  }
}
