import { addressBits, familyOfNumber, formatAddressAt, prefixLengthOf } from './address.ts';
import { attributeEnd, readValue } from './codec.ts';
import { byNumber, forwardingMethods, nameOf, schedulerFlags, tunnelChecksums } from './convert.ts';
import { IpvsError } from './errors.ts';
import { GENL_HEADER } from './genl.ts';
import type { Extent } from './message.ts';
import { commandAttrs, destinationAttrs, serviceAttrs, stats32Attrs, stats64Attrs } from './tables.ts';
import type {
  AddressFamily,
  ObservedDestination,
  ObservedService,
  Persistence,
  ServiceId,
  Stats,
  Tunnel,
} from './types.ts';
import { IP_VS_CONN_F, IP_VS_SVC_F, IP_VS_TUNNEL_TYPE, IPPROTO } from './uapi.ts';

/** A reply without its netlink header. A `Message` is one. */
export type Reply = Extent;

/** An object under construction. Values at their default are never added to it. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const protocolNames = byNumber(IPPROTO);
const methodNames = byNumber(forwardingMethods);
const tunnelNames = byNumber(IP_VS_TUNNEL_TYPE);
const checksumNames = byNumber(tunnelChecksums);

type ServiceValues = ReturnType<typeof serviceAttrs.values>;
type DestinationValues = ReturnType<typeof destinationAttrs.values>;

const COMMAND = commandAttrs.types;
const SERVICE = serviceAttrs.types;
const DESTINATION = destinationAttrs.types;

/** Reads the identity of the service in a reply. Throws `malformed-reply`. */
export function readServiceId(reply: Reply): ServiceId {
  const values = serviceValues(reply);
  return toServiceId(reply.view, values, familyOfNumber(values[SERVICE.family] ?? 0));
}

function serviceValues({ view, from, to }: Reply): ServiceValues {
  const nest = needed('service', commandAttrs.values(view, from + GENL_HEADER, to)[COMMAND.service]);
  return serviceAttrs.values(view, nest, attributeEnd(view, nest));
}

/** Reads the service in a reply. Throws `malformed-reply`. */
export function readService(reply: Reply): ObservedService {
  const { view } = reply;
  const values = serviceValues(reply);
  const family = familyOfNumber(values[SERVICE.family] ?? 0);
  const service: Mutable<ObservedService> = createService(view, values, family);
  const flags = readValue(serviceAttrs.rows.flags, view, values)?.value ?? 0;
  const engine = readValue(serviceAttrs.rows.persistenceEngine, view, values);
  if (flags & SCHEDULER_FLAGS)
    service.schedulerFlags = schedulerFlags.filter(([, bit]) => flags & bit).map(([name]) => name);
  if (flags & IP_VS_SVC_F.ONEPACKET) service.onePacket = true;
  if (flags & IP_VS_SVC_F.PERSISTENT) service.persistence = toPersistence(view, values, family);
  if (engine) service.persistenceEngine = engine;
  return service;
}

const SCHEDULER_FLAGS = schedulerFlags.reduce((all, [, bit]) => all | bit, 0);

/** Creates a service with its mandatory fields, always in the same order, so that all objects have the same shape. */
function createService(view: DataView, values: ServiceValues, family: AddressFamily): ObservedService {
  const scheduler = readValue(serviceAttrs.rows.scheduler, view, values) ?? '';
  const stats = statsOf(view, values[SERVICE.stats64], values[SERVICE.stats32]);
  const id = toServiceId(view, values, family);
  if ('fwmark' in id) return { fwmark: id.fwmark, family, scheduler, stats };
  const { protocol, address, port } = id;
  return { protocol, address, port, scheduler, stats };
}

function toServiceId(view: DataView, values: ServiceValues, family: AddressFamily): ServiceId {
  const fwmark = values[SERVICE.fwmark];
  // A service with a firewall mark has no protocol, address and port on the wire.
  if (fwmark !== undefined) return { fwmark, family };
  const address = needed('service address', values[SERVICE.address]);
  return {
    protocol: nameOf('protocol', protocolNames, values[SERVICE.protocol] ?? 0),
    address: formatAddressAt(view, address, attributeEnd(view, address), family),
    port: needed('service port', values[SERVICE.port]),
  };
}

function toPersistence(view: DataView, values: ServiceValues, family: AddressFamily): Persistence {
  const timeoutSeconds = values[SERVICE.timeout] ?? 0;
  const netmask = values[SERVICE.netmask];
  const bits = addressBits(family);
  const prefixLength =
    netmask === undefined ? bits : prefixLengthOf(view, netmask, attributeEnd(view, netmask), family);
  return prefixLength === bits ? { timeoutSeconds } : { timeoutSeconds, prefixLength };
}

/** Reads the destination in a reply. `ofService`: the family of its service. Throws `malformed-reply`. */
export function readDestination({ view, from, to }: Reply, ofService: AddressFamily): ObservedDestination {
  const nest = needed('destination', commandAttrs.values(view, from + GENL_HEADER, to)[COMMAND.destination]);
  const values = destinationAttrs.values(view, nest, attributeEnd(view, nest));
  const address = needed('destination address', values[DESTINATION.address]);
  // Kernels before 3.18 send no address family for a destination: it is that of the service.
  const number = values[DESTINATION.family] ?? 0;
  const family = number === 0 ? ofService : familyOfNumber(number);
  const method = (values[DESTINATION.forwardingMethod] ?? 0) & IP_VS_CONN_F.FWD_MASK;
  const upperThreshold = values[DESTINATION.upperThreshold] ?? 0;
  const lowerThreshold = values[DESTINATION.lowerThreshold] ?? 0;

  const destination: Mutable<ObservedDestination> = {
    address: formatAddressAt(view, address, attributeEnd(view, address), family),
    port: needed('destination port', values[DESTINATION.port]),
    weight: values[DESTINATION.weight] ?? 0,
    forwardingMethod: nameOf('forwarding method', methodNames, method),
    activeConnections: values[DESTINATION.activeConnections] ?? 0,
    inactiveConnections: values[DESTINATION.inactiveConnections] ?? 0,
    persistentConnections: values[DESTINATION.persistentConnections] ?? 0,
    stats: statsOf(view, values[DESTINATION.stats64], values[DESTINATION.stats32]),
  };
  if (method === IP_VS_CONN_F.TUNNEL) addTunnel(destination, values);
  if (upperThreshold !== 0) destination.upperThreshold = upperThreshold;
  if (lowerThreshold !== 0) destination.lowerThreshold = lowerThreshold;
  return destination;
}

function addTunnel(destination: Mutable<ObservedDestination>, values: DestinationValues): void {
  const number = values[DESTINATION.tunnelType] ?? IP_VS_TUNNEL_TYPE.ipip;
  if (number === IP_VS_TUNNEL_TYPE.ipip) return;
  const tunnel: Mutable<Tunnel> = { type: nameOf('tunnel type', tunnelNames, number) };
  const port = values[DESTINATION.tunnelPort] ?? 0;
  const flags = values[DESTINATION.tunnelFlags] ?? 0;
  if (port !== 0) tunnel.port = port;
  if (flags !== 0) tunnel.checksum = nameOf('tunnel flags', checksumNames, flags);
  destination.tunnel = tunnel;
}

/** Reads statistics of either width, which have the same attributes. Missing ones are zero. */
function readStats(table: typeof stats64Attrs | typeof stats32Attrs, view: DataView, nest: number): Stats {
  const { rows } = table;
  const values = table.values(view, nest, attributeEnd(view, nest));
  const connections = readValue(rows.connections, view, values) ?? 0n;
  const inPackets = readValue(rows.inPackets, view, values) ?? 0n;
  const outPackets = readValue(rows.outPackets, view, values) ?? 0n;
  // Without connections and packets, bytes and rates are zero too.
  if (connections === 0n && inPackets === 0n && outPackets === 0n) return noTraffic;
  return {
    connections,
    inPackets,
    outPackets,
    inBytes: readValue(rows.inBytes, view, values) ?? 0n,
    outBytes: readValue(rows.outBytes, view, values) ?? 0n,
    connectionRate: readValue(rows.connectionRate, view, values) ?? 0,
    inPacketRate: readValue(rows.inPacketRate, view, values) ?? 0,
    outPacketRate: readValue(rows.outPacketRate, view, values) ?? 0,
    inByteRate: readValue(rows.inByteRate, view, values) ?? 0,
    outByteRate: readValue(rows.outByteRate, view, values) ?? 0,
  };
}

/** The 64-bit statistics; the 32-bit ones from a kernel before 4.1, which has no others. */
function statsOf(view: DataView, stats64: number | undefined, stats32: number | undefined): Stats {
  if (stats64 !== undefined) return readStats(stats64Attrs, view, stats64);
  return stats32 === undefined ? noTraffic : readStats(stats32Attrs, view, stats32);
}

/** Shared by all entries without traffic, to save memory: a large table has many of them. */
const noTraffic: Stats = Object.freeze({
  connections: 0n,
  inPackets: 0n,
  outPackets: 0n,
  inBytes: 0n,
  outBytes: 0n,
  connectionRate: 0,
  inPacketRate: 0,
  outPacketRate: 0,
  inByteRate: 0,
  outByteRate: 0,
});

/** Returns an attribute that every reply must have. Throws `malformed-reply` if it is missing. */
function needed(what: string, value: number | undefined): number {
  if (value === undefined) throw new IpvsError('malformed-reply', `reply without ${what}`);
  return value;
}
