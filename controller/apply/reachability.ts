import { isIpvsError } from 'ipvs-netlink-ts';
import { ControllerError, messageOf } from '../errors.ts';
import type { Family } from '../model.ts';
import type { Reachability, ReachabilityReport } from '../ports.ts';
import type { Link, LocalRoute, RouteNetlink } from './rtnetlink.ts';
import { ensureSysctls, SYSCTLS } from './sysctls.ts';

export interface ReachabilityOptions {
  /** Name of the dummy interface that carries the routes. */
  readonly interfaceName: string;
  /** Networks of the named VIPs, one route each: `11.0.0.0/8`, `fd01:c::/64`. */
  readonly pools: readonly string[];
  /** Addresses of servers of ours; put here unless another interface has them. */
  readonly servers?: readonly string[];
  /** Source address of this host's own clients towards VIPs; null: what the host uses towards other hosts. */
  readonly hostAddress: string | null;
  readonly writeSysctls: boolean;
}

interface Report {
  readonly changed: string[];
  readonly problems: string[];
  readonly advice: string[];
}

/** Addresses that no host has (RFC 5737, RFC 3849): the way towards them is the way towards other hosts. */
const ELSEWHERE: Record<Family, string> = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' };

/**
 * A dummy interface with one local route for each pool and for each IP VIP outside them.
 *
 * A local route makes the kernel deliver to this host, where IPVS takes the packet, without an address of its own
 * for every VIP. Its source address is one of the host's: a client here would otherwise use the VIP itself, to which
 * no other host can answer.
 */
export class DummyReachability implements Reachability {
  readonly #netlink: RouteNetlink;
  readonly #options: ReachabilityOptions;
  #addresses: readonly string[] | null = null;

  constructor(netlink: RouteNetlink, options: ReachabilityOptions) {
    this.#netlink = netlink;
    this.#options = options;
  }

  async ensure(addresses: readonly string[]): Promise<ReachabilityReport> {
    this.#addresses = addresses;
    const sysctls = await ensureSysctls(SYSCTLS, this.#options.writeSysctls);
    const { changed, problems, advice } = await this.#bring(addresses);
    return { changed: [...sysctls.changed, ...changed], problems, advice: [...sysctls.advice, ...advice] };
  }

  async repair(): Promise<readonly string[]> {
    if (this.#addresses === null) return [];
    const { changed, problems } = await this.#bring(this.#addresses);
    if (problems.length > 0) throw new ControllerError('kernel', problems.join('; '));
    return changed;
  }

  async exists(): Promise<boolean> {
    return (await this.#netlink.link(this.#options.interfaceName))?.kind === 'dummy';
  }

  async remove(): Promise<boolean> {
    this.#addresses = null;
    const link = await this.#netlink.link(this.#options.interfaceName);
    if (link?.kind !== 'dummy') return false;
    await this.#netlink.removeLink(link.index);
    return true;
  }

  close(): void {
    this.#netlink.close();
  }

  async #bring(addresses: readonly string[]): Promise<Report> {
    const report: Report = { changed: [], problems: [], advice: [] };
    try {
      await this.#ensureRoutes(await this.#ensureLink(report), addresses, report);
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
    if (link === null) throw new ControllerError('kernel', 'gone as soon as it was made');
    if (link.kind !== 'dummy') {
      const kind = link.kind ?? 'hardware';
      throw new ControllerError(
        'kernel',
        `is a ${kind} device, not a dummy of ours: choose another name (--interface)`,
      );
    }
    if (!link.up) {
      await this.#netlink.setUp(link.index);
      report.changed.push(`interface ${name} set up`);
    }
    return link;
  }

  async #ensureRoutes(link: Link, addresses: readonly string[], report: Report): Promise<void> {
    const wanted = await this.#wantedRoutes(link, addresses);
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
      // A host with IPv6 switched off has no use for the IPv6 pool, and everything else of it works.
      const spare = route.family === 'ipv6' && this.#options.pools.includes(network);
      report[spare ? 'advice' : 'problems'].push(
        `route local ${network} dev ${this.#options.interfaceName}: ${messageOf(error)}`,
      );
    }
  }

  async #wantedRoutes(link: Link, addresses: readonly string[]): Promise<Map<string, LocalRoute>> {
    const sources: Record<Family, string | null> = {
      ipv4: await this.#sourceAddress('ipv4', link.index),
      ipv6: await this.#sourceAddress('ipv6', link.index),
    };
    const wanted = new Map<string, LocalRoute>();
    const servers = await this.#serversLacking(link.index);
    for (const network of [...this.#options.pools, ...[...addresses, ...servers].map(hostNetwork)]) {
      const family = familyOf(network);
      wanted.set(network, { family, network, source: sources[family] });
    }
    return wanted;
  }

  /** A route to an address that another interface has would take it away from there. */
  async #serversLacking(own: number): Promise<readonly string[]> {
    const { servers = [] } = this.#options;
    if (servers.length === 0) return servers;
    const all = await this.#netlink.addresses();
    const elsewhere = all.filter((host) => host.interfaceIndex !== own);
    return servers.filter((server) => !elsewhere.some(({ address }) => address === server));
  }

  async #sourceAddress(family: Family, own: number): Promise<string | null> {
    const { hostAddress } = this.#options;
    if (hostAddress !== null) return familyOf(hostAddress) === family ? hostAddress : null;
    const towardsOthers = await this.#netlink.sourceTowards(ELSEWHERE[family]);
    if (towardsOthers !== null) return towardsOthers;
    const addresses = await this.#netlink.addresses();
    const fitting = addresses.find(
      (host) => host.global && host.family === family && host.interfaceIndex !== own,
    );
    return fitting?.address ?? null;
  }
}

function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

function hostNetwork(address: string): string {
  return `${address}/${familyOf(address) === 'ipv4' ? 32 : 128}`;
}
