import { getServers } from 'node:dns';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { canonicalAddress } from '../address.ts';

export interface RealAddressOptions {
  /** Our own interface, whose addresses are VIPs. */
  readonly interfaceName: string;
  /** The servers of the sources by address, in canonical form, with their URLs; asked for in every call. */
  readonly sources: () => ReadonlyMap<string, string>;
  /** Where servers of ours listen. */
  readonly servers?: readonly string[];
  /** Networks of the named VIPs, where a VIP may be whatever the host is connected to. */
  readonly pools?: readonly string[];
  /** Let a VIP lie in a network that this host is connected to. */
  readonly allowConnectedVips?: boolean;
  /** Name servers that this host asks. Default: those that it is configured with. */
  readonly nameServers?: () => readonly string[];
  /** Addresses of this host by interface. Default: those that it has. */
  readonly interfaces?: () => Readonly<Record<string, readonly HostAddress[] | undefined>>;
}

interface HostAddress {
  readonly address: string;
  /** Address and prefix; null where the netmask is none. */
  readonly cidr: string | null;
}

/** A network that this host is connected to. */
interface Connected {
  readonly network: [ipaddr.IPv4 | ipaddr.IPv6, number];
  readonly reason: string;
}

/** What the host has at one moment. */
interface Known {
  readonly addresses: ReadonlyMap<string, string>;
  readonly networks: readonly Connected[];
  readonly nameServers: ReadonlySet<string>;
}

/** How long the host's addresses are taken as they were. */
const FRESH_MS = 1_000;

export interface RealAddresses {
  /** Why a VIP may not have an address; null: it may. */
  refusal(address: string): string | null;
  /** The same where this program itself depends on what is there: a source, a name server. */
  taken(address: string): string | null;
}

/**
 * Makes what says why a VIP may not have an address: it is this host's, a name server's or a source's,
 * or it lies in a network of this host, where another host may have it. A VIP that takes over such an address cuts every
 * host off from it (kubernetes #127410, #75290).
 */
export function createRealAddresses(options: RealAddressOptions, now: () => number): RealAddresses {
  const { interfaces = networkInterfaces, nameServers = configuredNameServers, sources } = options;
  const servers = (options.servers ?? []).map((address) => canonical(address));
  const pools = (options.pools ?? []).map((pool) => ipaddr.parseCIDR(pool));
  let known: Known = { addresses: new Map(), networks: [], nameServers: new Set() };
  let readAt = Number.NEGATIVE_INFINITY;

  function read(): Known {
    const reasons = new Map<string, string>();
    const networks: Connected[] = [];
    for (const server of servers) reasons.set(server, 'names are answered there (--dns-listen)');
    for (const [name, addresses] of Object.entries(interfaces())) {
      if (name === options.interfaceName) continue;
      for (const { address, cidr } of addresses ?? []) {
        reasons.set(canonical(address), `this host has it on ${name}`);
        if (cidr !== null && !options.allowConnectedVips) networks.push(connected(cidr, name));
      }
    }
    return { addresses: reasons, networks, nameServers: new Set(nameServers().map(canonical)) };
  }

  function inNetwork(text: string): string | null {
    const address = ipaddr.parse(text);
    if (pools.some((pool) => contains(pool, address))) return null;
    return known.networks.find(({ network }) => contains(network, address))?.reason ?? null;
  }

  const renew = (): void => {
    if (now() - readAt <= FRESH_MS) return;
    known = read();
    readAt = now();
  };
  const taken = (address: string): string | null => {
    renew();
    const source = sources().get(canonical(address));
    if (source !== undefined) return `it is the address of the source ${source}`;
    return known.nameServers.has(canonical(address))
      ? 'it is the address of a name server of this host'
      : null;
  };
  return {
    taken,
    refusal: (address) => taken(address) ?? known.addresses.get(canonical(address)) ?? inNetwork(address),
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

/** The second file is that of systemd-resolved, which asks others itself and stands in the first one alone. */
const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** As they are configured now: Node's own list is that of the start. */
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

/** One text for one address; what is none stays as it is. */
function canonical(text: string): string {
  const [address = text] = text.split('%');
  return canonicalAddress(address) ?? text;
}
