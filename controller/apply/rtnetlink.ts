/** Links, addresses and routes over rtnetlink, as far as a dummy interface with local routes needs them. */

import { isIpvsError } from 'ipvs-netlink-ts';
import { HOST_IS_LE, type Netlink, openNetlink } from 'ipvs-netlink-ts/netlink';
import { bitsOf, FAMILIES, type Family, familyOf } from '../address.ts';
import { messageOf } from '../errors.ts';
import {
  ADDRESS_HEADER,
  addressAttrs,
  addressHeader,
  bytesOf,
  concat,
  DEPRECATED,
  familyOfNumber,
  INTERFACE_HEADER,
  interfaceHeader,
  type LocalRoute,
  linkAttrs,
  localRoute,
  ROUTE_HEADER,
  ROUTE_PROTOCOL,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_LOCAL,
  RTN_LOCAL,
  routeAttrs,
  routeHeader,
  textOf,
  viewOf,
} from './rtnetlink-messages.ts';

const NETLINK_ROUTE = 0;
// biome-ignore format: aligned table
const RTM = { newLink: 16, delLink: 17, getLink: 18, newAddress: 20, delAddress: 21, getAddress: 22, newRoute: 24, delRoute: 25, getRoute: 26 } as const;
const NLM_F = { dump: 0x300, replace: 0x100, excl: 0x200, create: 0x400 } as const;
const IFF_UP = 1;

export interface Link {
  readonly index: number;
  /** `dummy`, `veth`, …; null for a device that has no kind (a network card). */
  readonly kind: string | null;
  readonly up: boolean;
}

export interface HostAddress {
  readonly address: string;
  readonly family: Family;
  readonly interfaceIndex: number;
  /** Whether other hosts may use it; false for loopback and link-local. */
  readonly global: boolean;
  /** Whether it has our mark. */
  readonly ours: boolean;
}

/** Reads and changes links and routes. Rejects with the library's `IpvsError`; EPERM is `not-permitted`. */
export class RouteNetlink {
  readonly #socket: Netlink;

  constructor(socket: Netlink) {
    this.#socket = socket;
  }

  static open(): RouteNetlink {
    return new RouteNetlink(openNetlink(NETLINK_ROUTE));
  }

  /** null when there is no interface with this name. */
  async link(name: string): Promise<Link | null> {
    try {
      const [reply] = await this.#socket.request(
        RTM.getLink,
        0,
        concat(interfaceHeader(0, 0, 0), linkAttrs.write({ name })),
      );
      if (reply === undefined) return null;
      const { info } = linkAttrs.read(reply.subarray(INTERFACE_HEADER));
      const view = viewOf(reply);
      return {
        index: view.getInt32(4, HOST_IS_LE),
        kind: info?.kind ?? null,
        up: (view.getUint32(8, HOST_IS_LE) & IFF_UP) !== 0,
      };
    } catch (error) {
      if (isIpvsError(error, 'not-found')) return null;
      throw error;
    }
  }

  /** Adds a dummy interface and sets it up. */
  async addDummy(name: string): Promise<void> {
    const message = concat(
      interfaceHeader(0, IFF_UP, IFF_UP),
      linkAttrs.write({ name, info: { kind: 'dummy' } }),
    );
    await this.#socket.request(RTM.newLink, NLM_F.create | NLM_F.excl, message, `add interface ${name}`);
  }

  async setUp(index: number): Promise<void> {
    await this.#socket.request(
      RTM.newLink,
      0,
      interfaceHeader(index, IFF_UP, IFF_UP),
      `set interface ${index} up`,
    );
  }

  async removeLink(index: number): Promise<void> {
    await this.#socket.request(RTM.delLink, 0, interfaceHeader(index, 0, 0), `remove interface ${index}`);
  }

  /** All addresses of all interfaces. */
  async addresses(): Promise<HostAddress[]> {
    const replies = await this.#socket.request(
      RTM.getAddress,
      NLM_F.dump,
      new Uint8Array(ADDRESS_HEADER),
      'list addresses',
    );
    const found: HostAddress[] = [];
    for (const reply of replies) {
      const family = familyOfNumber(reply[0]);
      const { address, local, protocol } = addressAttrs.read(reply.subarray(ADDRESS_HEADER));
      // On a point-to-point link IFA_ADDRESS is the remote end; IFA_LOCAL, if present, is this host's.
      const bytes = local ?? address;
      if (family === null || bytes === undefined) continue;
      const global = reply[3] === RT_SCOPE_UNIVERSE;
      found.push({
        address: textOf(bytes),
        family,
        global,
        ours: protocol === ROUTE_PROTOCOL,
        interfaceIndex: viewOf(reply).getUint32(4, HOST_IS_LE),
      });
    }
    return found;
  }

  /**
   * Adds an IPv6 address (/128) to the interface, valid forever but deprecated: programs can bind to it, and the kernel never
   * chooses it as a source address.
   */
  async addAddress(interfaceIndex: number, address: string): Promise<void> {
    const message = concat(
      addressHeader(interfaceIndex),
      addressAttrs.write({ local: bytesOf(address), lifetimes: DEPRECATED, protocol: ROUTE_PROTOCOL }),
    );
    const flags = NLM_F.create | NLM_F.replace;
    await this.#socket.request(RTM.newAddress, flags, message, `add address ${address}`);
  }

  /** Removing a missing address is not an error. */
  async removeAddress(interfaceIndex: number, address: string): Promise<void> {
    const message = concat(addressHeader(interfaceIndex), addressAttrs.write({ local: bytesOf(address) }));
    try {
      await this.#socket.request(RTM.delAddress, 0, message, `remove address ${address}`);
    } catch (error) {
      // EADDRNOTAVAIL
      if (!isIpvsError(error) || error.errno !== 99) throw error;
    }
  }

  /** The local routes of one interface with our mark. */
  async localRoutes(interfaceIndex: number): Promise<LocalRoute[]> {
    const found: LocalRoute[] = [];
    for (const family of FAMILIES) {
      const request = routeHeader(family, 0);
      for (const reply of await this.#socket.request(RTM.getRoute, NLM_F.dump, request, 'list routes')) {
        if (reply[4] !== RT_TABLE_LOCAL || reply[5] !== ROUTE_PROTOCOL || reply[7] !== RTN_LOCAL) continue;
        const { destination, outInterface, source } = routeAttrs.read(reply.subarray(ROUTE_HEADER));
        if (outInterface !== interfaceIndex || destination === undefined) continue;
        const network = `${textOf(destination)}/${reply[1] ?? 0}`;
        found.push({ family, network, source: source === undefined ? null : textOf(source) });
      }
    }
    return found;
  }

  /** Adds the route, or changes the source address of the existing one. */
  async putLocalRoute(interfaceIndex: number, route: LocalRoute): Promise<void> {
    const flags = NLM_F.create | NLM_F.replace;
    await this.#socket.request(
      RTM.newRoute,
      flags,
      localRoute(interfaceIndex, route),
      `add route local ${route.network}`,
    );
  }

  /** Removing a missing route is not an error. */
  async removeLocalRoute(interfaceIndex: number, route: LocalRoute): Promise<void> {
    try {
      const what = `remove route local ${route.network}`;
      await this.#socket.request(RTM.delRoute, 0, localRoute(interfaceIndex, route), what);
    } catch (error) {
      if (!isIpvsError(error, 'not-found')) throw error;
    }
  }

  /** The source address of this host towards another; null when it has no route there. */
  async sourceTowards(address: string): Promise<string | null> {
    try {
      const reply = await this.#routeTo(address);
      const source = reply === undefined ? undefined : routeAttrs.read(reply.subarray(ROUTE_HEADER)).source;
      return source === undefined ? null : textOf(source);
    } catch (error) {
      if (isIpvsError(error, 'not-permitted') || isIpvsError(error, 'timeout')) throw error;
      return null; // ENETUNREACH and its kin: no route is an answer.
    }
  }

  /**
   * The route of a packet from this host to an address: delivered locally (`interfaceIndex` null), sent out by an interface, or
   * refused with the system's reason.
   */
  async wayTo(
    address: string,
  ): Promise<{ readonly interfaceIndex: number | null } | { readonly refused: string }> {
    try {
      const reply = await this.#routeTo(address);
      if (reply === undefined) return { refused: 'the kernel returned no route' };
      if (reply[7] === RTN_LOCAL) return { interfaceIndex: null };
      return { interfaceIndex: routeAttrs.read(reply.subarray(ROUTE_HEADER)).outInterface ?? 0 };
    } catch (error) {
      if (isIpvsError(error, 'timeout')) throw error;
      return { refused: messageOf(error) };
    }
  }

  async #routeTo(address: string): Promise<Uint8Array | undefined> {
    const family = familyOf(address);
    const request = concat(
      routeHeader(family, bitsOf(family)),
      routeAttrs.write({ destination: bytesOf(address) }),
    );
    const [reply] = await this.#socket.request(RTM.getRoute, 0, request, `look up the route to ${address}`);
    return reply;
  }

  close(): void {
    this.#socket.close();
  }
}
