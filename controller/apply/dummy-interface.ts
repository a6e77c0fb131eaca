import { isIpvsError } from 'ipvs-netlink-ts';
import { bitsOf, type Family, familyOf } from '../address.ts';
import { ControllerError, messageOf } from '../errors.ts';
import type { ReachabilityReport } from '../ports.ts';
import type { HostAddress, Link, RouteNetlink } from './rtnetlink.ts';
import type { LocalRoute } from './rtnetlink-messages.ts';

export interface DummyInterfaceOptions {
  /** Name of the dummy interface that carries the routes. */
  readonly interfaceName: string;
  /** Networks of the named VIPs, one route each: `11.0.0.0/8`, `fd01:c::/64`. */
  readonly pools: readonly string[];
  /** Addresses of our servers; added to the interface unless another one has them. */
  readonly servers?: readonly string[];
  /** Source address of local clients towards VIPs; null: the one that the host uses towards other hosts. */
  readonly hostAddress: string | null;
}

/** The desired state of the interface. */
export interface Wanted {
  /** IP VIPs outside the pools. */
  readonly addresses: readonly string[];
  /** Whether the packet filter translates the source address of local clients. */
  readonly translatesOwn: Readonly<Record<Family, boolean>>;
}

interface Report {
  readonly changed: string[];
  readonly problems: string[];
  readonly advice: string[];
}

/** Addresses that no host has (RFC 5737, RFC 3849): the route towards them is the route towards other hosts. */
const ELSEWHERE: Record<Family, string> = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' };

/**
 * A dummy interface with one local route for each pool and for each IP VIP outside them.
 *
 * A local route makes the kernel deliver packets to this host, where IPVS takes them, without an address for each VIP. A
 * local client then has the VIP itself as its source address, which no other host can answer: the packet filter translates
 * it, or else the route specifies one of the host's addresses as its source. (An IPv6 route without a source uses one of the
 * host's addresses anyway, so the interface has an address for this purpose.)
 */
export class DummyInterface {
  /** Its name in messages. */
  readonly description: string;
  readonly #netlink: RouteNetlink;
  readonly #options: DummyInterfaceOptions;
  #wanted: Wanted | null = null;

  constructor(netlink: RouteNetlink, options: DummyInterfaceOptions) {
    this.description = `interface ${options.interfaceName} with its routes`;
    this.#netlink = netlink;
    this.#options = options;
  }

  /** Whether this host has a route to other hosts in this family; false when that cannot be found out. */
  async reachesOthers(family: Family): Promise<boolean> {
    const source = await this.#netlink.sourceTowards(ELSEWHERE[family]).catch(() => null);
    return source !== null;
  }

  /** Adds what is missing, and removes unwanted routes and addresses with the controller's mark. Never rejects: failures are in the report. */
  async ensure(wanted: Wanted): Promise<ReachabilityReport> {
    this.#wanted = wanted;
    return await this.#bring(wanted);
  }

  /** Restores what someone removed since the last `ensure`. Resolves with what it restored. */
  async repair(): Promise<readonly string[]> {
    if (this.#wanted === null) return [];
    const { changed, problems } = await this.#bring(this.#wanted);
    if (problems.length > 0) throw new ControllerError('kernel', problems.join('; '));
    return changed;
  }

  /** Whether a dummy interface with this name exists. */
  async exists(): Promise<boolean> {
    return (await this.#netlink.link(this.#options.interfaceName))?.kind === 'dummy';
  }

  /** Removes the interface with its routes and addresses. Resolves with false when the controller has none. */
  async remove(): Promise<boolean> {
    this.#wanted = null;
    const link = await this.#netlink.link(this.#options.interfaceName);
    if (link?.kind !== 'dummy') return false;
    await this.#netlink.removeLink(link.index);
    return true;
  }

  close(): void {
    this.#netlink.close();
  }

  async #bring(wanted: Wanted): Promise<Report> {
    const report: Report = { changed: [], problems: [], advice: [] };
    try {
      const link = await this.#ensureLink(report);
      const hosts = await this.#netlink.addresses();
      const servers = serversLacking(this.#options.servers ?? [], hosts, link);
      const sources = await this.#sources(wanted, hosts, link);
      await this.#ensureAddresses(link, hosts, sources, servers, report);
      await this.#ensureRoutes(link, this.#wantedRoutes(wanted.addresses, servers, sources), report);
    } catch (error) {
      const hint = isIpvsError(error, 'not-permitted')
        ? ' (CAP_NET_ADMIN is needed: run as root, or give the unit or container NET_ADMIN)'
        : '';
      report.problems.push(`interface ${this.#options.interfaceName}: ${messageOf(error)}${hint}`);
    }
    return report;
  }

  async #ensureLink(report: Report): Promise<Link> {
    const { interfaceName: name } = this.#options;
    let link = await this.#netlink.link(name);
    if (link === null) {
      await this.#netlink.addDummy(name);
      report.changed.push(`interface ${name} added`);
      link = await this.#netlink.link(name);
    }
    if (link === null) throw new ControllerError('kernel', 'it disappeared as soon as it was added');
    if (link.kind !== 'dummy') {
      const kind = link.kind ?? 'hardware';
      throw new ControllerError(
        'kernel',
        `is a ${kind} device, not the controller's dummy interface: choose another name (--interface)`,
      );
    }
    if (!link.up) {
      await this.#netlink.setUp(link.index);
      report.changed.push(`interface ${name} set up`);
    }
    return link;
  }

  /** The addresses of the interface: those that our servers listen on, and `Sources.own`. */
  async #ensureAddresses(
    link: Link,
    hosts: readonly HostAddress[],
    { own }: Sources,
    servers: readonly string[],
    report: Report,
  ): Promise<void> {
    const wanted = new Set(
      [...servers, ...(own === null ? [] : [own])].filter((one) => familyOf(one) === 'ipv6'),
    );
    for (const { address, interfaceIndex, ours } of hosts) {
      if (interfaceIndex !== link.index || wanted.delete(address) || !ours) continue;
      await this.#netlink.removeAddress(link.index, address);
      report.changed.push(`address ${address} removed`);
    }
    for (const address of wanted) {
      try {
        await this.#netlink.addAddress(link.index, address);
        report.changed.push(`address ${address} added`);
      } catch (error) {
        // VIPs are reached all the same, and the name server reports that it cannot listen.
        report.advice.push(`address ${address} dev ${this.#options.interfaceName}: ${messageOf(error)}`);
      }
    }
  }

  async #ensureRoutes(link: Link, wanted: ReadonlyMap<string, LocalRoute>, report: Report): Promise<void> {
    const present = new Map(
      (await this.#netlink.localRoutes(link.index)).map((route) => [route.network, route]),
    );
    for (const [network, route] of present) {
      if (wanted.has(network)) continue;
      await this.#netlink.removeLocalRoute(link.index, route);
      report.changed.push(`route local ${network} removed`);
    }
    for (const [network, route] of wanted) await this.#ensureRoute(link, route, present.get(network), report);
  }

  async #ensureRoute(
    link: Link,
    route: LocalRoute,
    had: LocalRoute | undefined,
    report: Report,
  ): Promise<void> {
    if (had !== undefined && had.source === route.source) return;
    const { network, source } = route;
    try {
      await this.#netlink.putLocalRoute(link.index, route);
      const from = source === null ? '' : ` source ${source}`;
      report.changed.push(`route local ${network}${from} ${had === undefined ? 'added' : 'changed'}`);
    } catch (error) {
      // A host with IPv6 disabled does not need the IPv6 pool; everything else works.
      const spare = route.family === 'ipv6' && this.#options.pools.includes(network);
      report[spare ? 'advice' : 'problems'].push(
        `route local ${network} dev ${this.#options.interfaceName}: ${messageOf(error)}`,
      );
    }
  }

  #wantedRoutes(
    addresses: readonly string[],
    servers: readonly string[],
    { towardsVips, host }: Sources,
  ): Map<string, LocalRoute> {
    const wanted = new Map<string, LocalRoute>();
    const add = (network: string, sources: Record<Family, string | null>) => {
      const family = familyOf(network);
      wanted.set(network, { family, network, source: sources[family] });
    };
    for (const pool of this.#options.pools) add(pool, towardsVips);
    for (const address of addresses) add(hostNetwork(address), towardsVips);
    for (const server of servers) if (familyOf(server) === 'ipv4') add(hostNetwork(server), host);
    return wanted;
  }

  async #sources(
    { translatesOwn }: Wanted,
    hosts: readonly HostAddress[],
    { index }: Link,
  ): Promise<Sources> {
    const host: Record<Family, string | null> = {
      ipv4: await this.#sourceAddress('ipv4', hosts, index),
      ipv6: await this.#sourceAddress('ipv6', hosts, index),
    };
    const pool = this.#options.pools.find((network) => familyOf(network) === 'ipv6');
    // A host without IPv6 routes to other hosts translates nothing.
    const own = translatesOwn.ipv6 && host.ipv6 !== null ? (pool?.split('/')[0] ?? null) : null;
    const ipv4 = translatesOwn.ipv4 ? null : host.ipv4;
    return { host, own, towardsVips: { ipv4, ipv6: own ?? host.ipv6 } };
  }

  async #sourceAddress(family: Family, hosts: readonly HostAddress[], own: number): Promise<string | null> {
    const { hostAddress } = this.#options;
    if (hostAddress !== null) return familyOf(hostAddress) === family ? hostAddress : null;
    const towardsOthers = await this.#netlink.sourceTowards(ELSEWHERE[family]);
    if (towardsOthers !== null) return towardsOthers;
    const fitting = hosts.find(
      (host) => host.global && host.family === family && host.interfaceIndex !== own,
    );
    return fitting?.address ?? null;
  }
}

interface Sources {
  /** An address of the host that other hosts can answer. */
  readonly host: Readonly<Record<Family, string | null>>;
  /** The IPv6 address of the interface that is reserved for local clients. */
  readonly own: string | null;
  /** The source address of local clients towards VIPs; null: the VIP itself. */
  readonly towardsVips: Readonly<Record<Family, string | null>>;
}

/** Leaves out addresses of other interfaces, from which a route would take them away. */
function serversLacking(
  servers: readonly string[],
  hosts: readonly HostAddress[],
  { index }: Link,
): readonly string[] {
  const elsewhere = new Set(
    hosts.filter((host) => host.interfaceIndex !== index).map(({ address }) => address),
  );
  return servers.filter((server) => !elsewhere.has(server));
}

function hostNetwork(address: string): string {
  return `${address}/${bitsOf(familyOf(address))}`;
}
