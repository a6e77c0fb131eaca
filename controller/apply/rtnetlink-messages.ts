/** The layout of the rtnetlink messages that we need. <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h> */

import ipaddr from 'ipaddr.js';
import { attrTable, cstring, HOST_IS_LE, nested, raw, u8, u32 } from 'ipvs-netlink-ts/netlink';
import type { Family } from '../address.ts';

const AF: Record<Family, number> = { ipv4: 2, ipv6: 10 };
export const RT_TABLE_LOCAL = 255;
export const RTN_LOCAL = 2;
/** Skips duplicate address detection. */
const IFA_F_NODAD = 0x02;
/** The protocol number that marks our routes, and from Linux 5.18 on our addresses; unused in /etc/iproute2/rt_protos. */
export const ROUTE_PROTOCOL = 109;
/** Scope of an address that other hosts may use. */
export const RT_SCOPE_UNIVERSE = 0;
/** Scope of a route within this host. */
const RT_SCOPE_HOST = 254;

const infoAttrs = attrTable('link info', { kind: { type: 1, codec: cstring } });
export const linkAttrs = attrTable('link', {
  name: { type: 3, codec: cstring },
  info: { type: 18, codec: nested(infoAttrs) },
});
export const addressAttrs = attrTable('address', {
  address: { type: 1, codec: raw },
  local: { type: 2, codec: raw },
  lifetimes: { type: 6, codec: raw },
  protocol: { type: 11, codec: u8 },
});
export const routeAttrs = attrTable('route', {
  destination: { type: 1, codec: raw },
  outInterface: { type: 4, codec: u32 },
  source: { type: 7, codec: raw },
});

/** A route that delivers packets to a network to this host itself. */
export interface LocalRoute {
  readonly family: Family;
  /** `11.0.0.0/8` in canonical text. */
  readonly network: string;
  /** Source address of local clients; null: the destination itself. */
  readonly source: string | null;
}

/** struct ifinfomsg: family, pad, type, index, flags, change mask. */
export const INTERFACE_HEADER = 16;
export function interfaceHeader(index: number, flags: number, change: number): Uint8Array {
  const header = new Uint8Array(INTERFACE_HEADER);
  const view = viewOf(header);
  view.setInt32(4, index, HOST_IS_LE);
  view.setUint32(8, flags, HOST_IS_LE);
  view.setUint32(12, change, HOST_IS_LE);
  return header;
}

/** struct ifaddrmsg: family, prefix length, flags, scope, index. */
export const ADDRESS_HEADER = 8;
export function addressHeader(interfaceIndex: number): Uint8Array {
  const header = new Uint8Array(ADDRESS_HEADER);
  header.set([AF.ipv6, 128, IFA_F_NODAD, RT_SCOPE_UNIVERSE]);
  viewOf(header).setUint32(4, interfaceIndex, HOST_IS_LE);
  return header;
}

/** struct ifa_cacheinfo: preferred for no time, valid forever; two timestamps that only the kernel writes. */
export const DEPRECATED = new Uint8Array(Uint32Array.of(0, 0xffff_ffff, 0, 0).buffer);

/** struct rtmsg: family, destination and source length, tos, table, protocol, scope, type, flags. */
export const ROUTE_HEADER = 12;
export function routeHeader(family: Family, prefix: number): Uint8Array {
  const header = new Uint8Array(ROUTE_HEADER);
  header.set([AF[family], prefix]);
  return header;
}

export function localRoute(interfaceIndex: number, { family, network, source }: LocalRoute): Uint8Array {
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

export function familyOfNumber(number: number | undefined): Family | null {
  return number === AF.ipv4 ? 'ipv4' : number === AF.ipv6 ? 'ipv6' : null;
}

export function bytesOf(address: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(address).toByteArray());
}

export function textOf(bytes: Uint8Array): string {
  const address = ipaddr.fromByteArray([...bytes]);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

export function concat(header: Uint8Array, attributes: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.length + attributes.length);
  bytes.set(header);
  bytes.set(attributes, header.length);
  return bytes;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
