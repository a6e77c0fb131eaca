import { getServers } from 'node:dns';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

export interface RealAddressOptions {
  /** Our own interface, whose addresses are VIPs. */
  readonly interfaceName: string;
  /** Base URLs of the sources. */
  readonly masters: readonly string[];
  /** Where servers of ours listen. */
  readonly servers?: readonly string[];
  /** Networks of the named VIPs, where a VIP may be whatever the host is connected to. */
  readonly pools?: readonly string[];
  /** Let a VIP lie in a network that this host is connected to. */
  readonly allowConnectedVips?: boolean;
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
}

/** How long the host's addresses are taken as they were. */
const FRESH_MS = 1_000;

/**
 * Makes the function that says why a VIP may not have an address: it is this host's, a name server's or a source's,
 * or it lies in a network of this host, where another host may have it. A VIP that takes over such an address cuts every
 * host off from it (kubernetes #127410, #75290). null: it may.
 */
export function createRealAddresses(
  options: RealAddressOptions,
  now: () => number,
): (address: string) => string | null {
  const { interfaces = networkInterfaces } = options;
  const masters = new Map(
    options.masters.map((url) => [canonical(hostOf(url)), `it is the address of the source ${url}`]),
  );
  const servers = (options.servers ?? []).map((address) => canonical(address));
  const pools = (options.pools ?? []).map((pool) => ipaddr.parseCIDR(pool));
  let known: Known = { addresses: new Map(), networks: [] };
  let readAt = Number.NEGATIVE_INFINITY;

  function read(): Known {
    const reasons = new Map(masters);
    const networks: Connected[] = [];
    for (const server of servers) reasons.set(server, 'names are answered there (--dns-listen)');
    for (const server of getServers())
      reasons.set(canonical(server), 'it is the address of a name server of this host');
    for (const [name, addresses] of Object.entries(interfaces())) {
      if (name === options.interfaceName) continue;
      for (const { address, cidr } of addresses ?? []) {
        reasons.set(canonical(address), `this host has it on ${name}`);
        if (cidr !== null && !options.allowConnectedVips) networks.push(connected(cidr, name));
      }
    }
    return { addresses: reasons, networks };
  }

  function inNetwork(text: string): string | null {
    const address = ipaddr.parse(text);
    if (pools.some((pool) => contains(pool, address))) return null;
    return known.networks.find(({ network }) => contains(network, address))?.reason ?? null;
  }

  return (address) => {
    if (now() - readAt > FRESH_MS) {
      known = read();
      readAt = now();
    }
    return known.addresses.get(canonical(address)) ?? inNetwork(address);
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

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

/** One text for one address; what is none stays as it is. */
function canonical(text: string): string {
  return ipaddr.isValid(text) ? ipaddr.parse(text).toNormalizedString() : text;
}
