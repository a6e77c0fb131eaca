/** The few rtnetlink messages that a dummy interface and its local routes need. <linux/rtnetlink.h>, <linux/if_link.h> */

import ipaddr from 'ipaddr.js';
import { isIpvsError } from 'ipvs-netlink-ts';
import {
  attrTable,
  cstring,
  HOST_IS_LE,
  type Netlink,
  nested,
  openNetlink,
  raw,
  u8,
  u32,
} from 'ipvs-netlink-ts/netlink';
import type { Family } from '../model.ts';

const NETLINK_ROUTE = 0;
// biome-ignore format: aligned table
const RTM = { newLink: 16, delLink: 17, getLink: 18, newAddress: 20, delAddress: 21, getAddress: 22, newRoute: 24, delRoute: 25, getRoute: 26 } as const;
const NLM_F = { dump: 0x300, replace: 0x100, excl: 0x200, create: 0x400 } as const;
const AF: Record<Family, number> = { ipv4: 2, ipv6: 10 };
const RT_TABLE_LOCAL = 255;
const RTN_LOCAL = 2;
const IFF_UP = 1;
/** Used at once, without looking for another host that has it. */
const IFA_F_NODAD = 0x02;
/** Marks our routes, and our addresses from Linux 5.18 on: unused by others in /etc/iproute2/rt_protos. What has another mark on our interface is not ours. */
export const ROUTE_PROTOCOL = 109;
/** Scope of an address that other hosts may be told. */
const RT_SCOPE_UNIVERSE = 0;
/** The route reaches no further than this host. */
const RT_SCOPE_HOST = 254;

const infoAttrs = attrTable('link info', { kind: { type: 1, codec: cstring } });
const linkAttrs = attrTable('link', {
  name: { type: 3, codec: cstring },
  info: { type: 18, codec: nested(infoAttrs) },
});
const addressAttrs = attrTable('address', {
  address: { type: 1, codec: raw },
  local: { type: 2, codec: raw },
  lifetimes: { type: 6, codec: raw },
  protocol: { type: 11, codec: u8 },
});
const routeAttrs = attrTable('route', {
  destination: { type: 1, codec: raw },
  outInterface: { type: 4, codec: u32 },
  source: { type: 7, codec: raw },
});

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
  /** Other hosts may use it; false for loopback and link-local. */
  readonly global: boolean;
  /** It carries our mark. */
  readonly ours: boolean;
}

/** A route that delivers a network to this host itself. */
export interface LocalRoute {
  readonly family: Family;
  /** `11.0.0.0/8` in canonical text. */
  readonly network: string;
  /** Source address that programs of this host use towards it; null: the destination itself. */
  readonly source: string | null;
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

  /** null when there is no interface of this name. */
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

  /** Makes a dummy interface that is up. */
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

  /** Every address of this host, of all interfaces. */
  async addresses(): Promise<HostAddress[]> {
    const replies = await this.#socket.request(
      RTM.getAddress,
      NLM_F.dump,
      new Uint8Array(ADDRESS_HEADER),
      'list addresses',
    );
    const found: HostAddress[] = [];
    for (const reply of replies) {
      const family = familyOf(reply[0]);
      const { address, local, protocol } = addressAttrs.read(reply.subarray(ADDRESS_HEADER));
      // On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is ours where it is given.
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
   * Gives the interface an IPv6 address of its own (/128), for ever and deprecated: whoever names it can use it, and the
   * kernel chooses it for nobody.
   */
  async addAddress(interfaceIndex: number, address: string): Promise<void> {
    const message = concat(
      addressHeader(interfaceIndex),
      addressAttrs.write({ local: bytesOf(address), lifetimes: DEPRECATED, protocol: ROUTE_PROTOCOL }),
    );
    const flags = NLM_F.create | NLM_F.replace;
    await this.#socket.request(RTM.newAddress, flags, message, `add address ${address}`);
  }

  /** Removing an address that is not there is no error. */
  async removeAddress(interfaceIndex: number, address: string): Promise<void> {
    const message = concat(addressHeader(interfaceIndex), addressAttrs.write({ local: bytesOf(address) }));
    try {
      await this.#socket.request(RTM.delAddress, 0, message, `remove address ${address}`);
    } catch (error) {
      // EADDRNOTAVAIL
      if (!isIpvsError(error) || error.errno !== 99) throw error;
    }
  }

  /** The local routes of one interface that carry our mark. */
  async localRoutes(interfaceIndex: number): Promise<LocalRoute[]> {
    const found: LocalRoute[] = [];
    for (const family of ['ipv4', 'ipv6'] as const) {
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

  /** Adds the route, or gives the one that is there this source address. */
  async putLocalRoute(interfaceIndex: number, route: LocalRoute): Promise<void> {
    const flags = NLM_F.create | NLM_F.replace;
    await this.#socket.request(
      RTM.newRoute,
      flags,
      localRoute(interfaceIndex, route),
      `add route local ${route.network}`,
    );
  }

  /** Removing a route that is not there is no error. */
  async removeLocalRoute(interfaceIndex: number, route: LocalRoute): Promise<void> {
    try {
      const what = `remove route local ${route.network}`;
      await this.#socket.request(RTM.delRoute, 0, localRoute(interfaceIndex, route), what);
    } catch (error) {
      if (!isIpvsError(error, 'not-found')) throw error;
    }
  }

  /** The address that this host would use as source towards another; null when it has no route there. */
  async sourceTowards(address: string): Promise<string | null> {
    const family: Family = address.includes(':') ? 'ipv6' : 'ipv4';
    const destination = bytesOf(address);
    try {
      const request = concat(routeHeader(family, destination.length * 8), routeAttrs.write({ destination }));
      const [reply] = await this.#socket.request(RTM.getRoute, 0, request);
      const source = reply === undefined ? undefined : routeAttrs.read(reply.subarray(ROUTE_HEADER)).source;
      return source === undefined ? null : textOf(source);
    } catch (error) {
      if (isIpvsError(error, 'not-permitted') || isIpvsError(error, 'timeout')) throw error;
      return null; // ENETUNREACH and its kin: no route is an answer.
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** struct ifinfomsg: family, pad, type, index, flags, change mask. */
const INTERFACE_HEADER = 16;
function interfaceHeader(index: number, flags: number, change: number): Uint8Array {
  const header = new Uint8Array(INTERFACE_HEADER);
  const view = viewOf(header);
  view.setInt32(4, index, HOST_IS_LE);
  view.setUint32(8, flags, HOST_IS_LE);
  view.setUint32(12, change, HOST_IS_LE);
  return header;
}

/** struct ifaddrmsg: family, prefix length, flags, scope, index. */
const ADDRESS_HEADER = 8;
function addressHeader(interfaceIndex: number): Uint8Array {
  const header = new Uint8Array(ADDRESS_HEADER);
  header.set([AF.ipv6, 128, IFA_F_NODAD, RT_SCOPE_UNIVERSE]);
  viewOf(header).setUint32(4, interfaceIndex, HOST_IS_LE);
  return header;
}

/** struct ifa_cacheinfo: preferred for no time, valid for ever; two time stamps that only the kernel writes. */
const DEPRECATED = new Uint8Array(Uint32Array.of(0, 0xffff_ffff, 0, 0).buffer);

/** struct rtmsg: family, destination and source length, tos, table, protocol, scope, type, flags. */
const ROUTE_HEADER = 12;
function routeHeader(family: Family, prefix: number): Uint8Array {
  const header = new Uint8Array(ROUTE_HEADER);
  header.set([AF[family], prefix]);
  return header;
}

function localRoute(interfaceIndex: number, { family, network, source }: LocalRoute): Uint8Array {
  const [address = '', prefix] = network.split('/');
  const header = routeHeader(family, Number(prefix));
  header.set(
    [RT_TABLE_LOCAL, ROUTE_PROTOCOL, family === 'ipv4' ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE, RTN_LOCAL],
    4,
  );
  const attributes = { destination: bytesOf(address), outInterface: interfaceIndex };
  return concat(
    header,
    routeAttrs.write(source === null ? attributes : { ...attributes, source: bytesOf(source) }),
  );
}

function familyOf(number: number | undefined): Family | null {
  return number === AF.ipv4 ? 'ipv4' : number === AF.ipv6 ? 'ipv6' : null;
}

function bytesOf(address: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(address).toByteArray());
}

function textOf(bytes: Uint8Array): string {
  const address = ipaddr.fromByteArray([...bytes]);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

function concat(header: Uint8Array, attributes: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.length + attributes.length);
  bytes.set(header);
  bytes.set(attributes, header.length);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
