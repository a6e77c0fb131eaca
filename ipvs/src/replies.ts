import { addressBits, familyOfNumber, formatAddressAt, prefixLengthOf } from './address.ts';
import { byNumber, forwardingMethods, schedulerFlags, tunnelChecksums, wordOf } from './convert.ts';
import { IpvsError } from './errors.ts';
import { GENL_HEADER } from './genl.ts';
import { serviceKey } from './id.ts';
import { type Extent, type Memory, u64AsNumberAt, u64At } from './memory.ts';
import { cstring } from './scalars.ts';
import { commandAttrs, destinationAttrs, serviceAttrs, stats32Attrs, stats64Attrs } from './tables.ts';
import type {
  AddressFamily,
  ObservedDestination,
  ObservedService,
  Persistence,
  SchedulerFlag,
  Stats,
  Tunnel,
} from './types.ts';
import { IP_VS_CONN_F, IP_VS_SVC_F, IP_VS_TUNNEL_TYPE, IPPROTO } from './uapi.ts';

/** The part of a reply after the netlink header; a `Message` is one. */
export type Reply = Extent;

/** The same while it is being made: what is at its default is never added. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const protocolWords = byNumber(IPPROTO);
const methodWords = byNumber(forwardingMethods);
const tunnelWords = byNumber(IP_VS_TUNNEL_TYPE);
const checksumWords = byNumber(tunnelChecksums);

const SERVICE = serviceAttrs.types;
const DESTINATION = destinationAttrs.types;

// In what follows, values are read where they are found to be, without helpers: ten thousand destinations are read before
// any of this is compiled, and until then calls are most of the cost. `as number`: every place was checked by `locate`.

/** The service in a reply. Throws `malformed-reply`. */
export function readService({ memory, from, to }: Reply): ObservedService {
  const { halves, words } = memory;
  const nest = nestIn(memory, from, to, commandAttrs.types.service);
  const at = serviceAttrs.locate(memory, nest, endOf(memory, nest));
  const family = familyOfNumber(halves[(at[SERVICE.family] as number) >> 1] as number);
  const flags = words[(at[SERVICE.flags] as number) >> 2] as number;
  const engine = at[SERVICE.persistenceEngine] as number;
  const service: Mutable<ObservedService> = createService(memory, at, family);
  if (flags & SCHEDULER_FLAGS) service.schedulerFlags = readSchedulerFlags(flags);
  if (flags & IP_VS_SVC_F.ONEPACKET) service.onePacket = true;
  if (flags & IP_VS_SVC_F.PERSISTENT) service.persistence = readPersistence(memory, at, family);
  if (engine !== 0) service.persistenceEngine = textAt(memory, engine);
  return service;
}

/** What every service has, in the same order for all. */
function createService(memory: Memory, at: Int32Array, family: AddressFamily): ObservedService {
  const { bytes, halves, words } = memory;
  const fwmark = at[SERVICE.fwmark] as number;
  const address = at[SERVICE.address] as number;
  const port = at[SERVICE.port] as number;
  const scheduler = textAt(memory, at[SERVICE.scheduler] as number);
  const protocol = halves[(at[SERVICE.protocol] as number) >> 1] as number;
  const stats = readStats(memory, at[SERVICE.stats64] as number, at[SERVICE.stats32] as number);
  // A service known by its mark has no protocol, address and port on the wire.
  if (fwmark !== 0) return { fwmark: words[fwmark >> 2] as number, family, scheduler, stats };
  if (address === 0 || port === 0) throw new IpvsError('malformed-reply', 'service without address or port');
  return {
    protocol: wordOf('protocol', protocolWords, protocol),
    address: formatAddressAt(bytes, address, endOf(memory, address), family),
    port: ((bytes[port] as number) << 8) | (bytes[port + 1] as number),
    scheduler,
    stats,
  };
}

const SCHEDULER_FLAGS = schedulerFlags.reduce((all, [, bit]) => all | bit, 0);

function readSchedulerFlags(flags: number): readonly SchedulerFlag[] {
  return schedulerFlags.filter(([, bit]) => flags & bit).map(([name]) => name);
}

function readPersistence({ bytes, words }: Memory, at: Int32Array, family: AddressFamily): Persistence {
  const timeoutSeconds = words[(at[SERVICE.timeout] as number) >> 2] as number;
  const netmask = at[SERVICE.netmask] as number;
  const bits = addressBits(family);
  const prefixLength = netmask === 0 ? bits : prefixLengthOf(bytes.slice(netmask, netmask + 4), family);
  return prefixLength === bits ? { timeoutSeconds } : { timeoutSeconds, prefixLength };
}

/** The `serviceKey` of the service in a reply. Throws `malformed-reply`. */
export function readServiceKey(reply: Reply): string {
  return serviceKey(readService(reply));
}

/** The destination in a reply, of a service of this family. Throws `malformed-reply`. */
export function readDestination({ memory, from, to }: Reply, ofService: AddressFamily): ObservedDestination {
  const { bytes, halves, words } = memory;
  const nest = nestIn(memory, from, to, commandAttrs.types.destination);
  const at = destinationAttrs.locate(memory, nest, endOf(memory, nest));
  const address = at[DESTINATION.address] as number;
  const port = at[DESTINATION.port] as number;
  if (address === 0 || port === 0)
    throw new IpvsError('malformed-reply', 'destination without address or port');
  // Kernels before 3.18 send no address family for a destination; it is then the service's.
  const number = halves[(at[DESTINATION.family] as number) >> 1] as number;
  const family = number === 0 ? ofService : familyOfNumber(number);
  const method = (words[(at[DESTINATION.forwardingMethod] as number) >> 2] as number) & IP_VS_CONN_F.FWD_MASK;
  const upperThreshold = words[(at[DESTINATION.upperThreshold] as number) >> 2] as number;
  const lowerThreshold = words[(at[DESTINATION.lowerThreshold] as number) >> 2] as number;

  const destination: Mutable<ObservedDestination> = {
    address: formatAddressAt(bytes, address, endOf(memory, address), family),
    port: ((bytes[port] as number) << 8) | (bytes[port + 1] as number),
    weight: words[(at[DESTINATION.weight] as number) >> 2] as number,
    forwardingMethod: wordOf('forwarding method', methodWords, method),
    activeConnections: words[(at[DESTINATION.activeConnections] as number) >> 2] as number,
    inactiveConnections: words[(at[DESTINATION.inactiveConnections] as number) >> 2] as number,
    persistentConnections: words[(at[DESTINATION.persistentConnections] as number) >> 2] as number,
    stats: readStats(memory, at[DESTINATION.stats64] as number, at[DESTINATION.stats32] as number),
  };
  if (method === IP_VS_CONN_F.TUNNEL) addTunnel(destination, memory, at);
  if (upperThreshold !== 0) destination.upperThreshold = upperThreshold;
  if (lowerThreshold !== 0) destination.lowerThreshold = lowerThreshold;
  return destination;
}

function addTunnel(destination: Mutable<ObservedDestination>, memory: Memory, at: Int32Array): void {
  const { bytes, halves } = memory;
  const number = bytes[at[DESTINATION.tunnelType] as number] as number;
  if (number === IP_VS_TUNNEL_TYPE.ipip) return;
  const tunnel: Mutable<Tunnel> = { type: wordOf('tunnel type', tunnelWords, number) };
  const portAt = at[DESTINATION.tunnelPort] as number;
  const port = ((bytes[portAt] as number) << 8) | (bytes[portAt + 1] as number);
  const flags = halves[(at[DESTINATION.tunnelFlags] as number) >> 1] as number;
  if (port !== 0) tunnel.port = port;
  if (flags !== 0) tunnel.checksum = wordOf('tunnel flags', checksumWords, flags);
  destination.tunnel = tunnel;
}

const S64 = stats64Attrs.types;
const S32 = stats32Attrs.types;

/** Statistics at the first place, where a kernel before 4.1 has them at the second. What is left out is zero. */
function readStats(memory: Memory, stats64: number, stats32: number): Stats {
  if (stats64 === 0) return stats32 === 0 ? noTraffic : readStats32(memory, stats32);
  const { words } = memory;
  const at = stats64Attrs.locate(memory, stats64, endOf(memory, stats64));
  const connections = at[S64.connections] as number;
  const inPackets = at[S64.inPackets] as number;
  const outPackets = at[S64.outPackets] as number;
  // Where nothing ever came in or went out there is no other traffic, and no rate either.
  let seen = (words[connections >> 2] as number) | (words[(connections >> 2) + 1] as number);
  seen |= (words[inPackets >> 2] as number) | (words[(inPackets >> 2) + 1] as number);
  seen |= (words[outPackets >> 2] as number) | (words[(outPackets >> 2) + 1] as number);
  if (seen === 0) return noTraffic;
  return {
    connections: u64At(memory, connections),
    inPackets: u64At(memory, inPackets),
    outPackets: u64At(memory, outPackets),
    inBytes: u64At(memory, at[S64.inBytes] as number),
    outBytes: u64At(memory, at[S64.outBytes] as number),
    connectionRate: u64AsNumberAt(memory, at[S64.connectionRate] as number),
    inPacketRate: u64AsNumberAt(memory, at[S64.inPacketRate] as number),
    outPacketRate: u64AsNumberAt(memory, at[S64.outPacketRate] as number),
    inByteRate: u64AsNumberAt(memory, at[S64.inByteRate] as number),
    outByteRate: u64AsNumberAt(memory, at[S64.outByteRate] as number),
  };
}

function readStats32(memory: Memory, stats32: number): Stats {
  const { words } = memory;
  const at = stats32Attrs.locate(memory, stats32, endOf(memory, stats32));
  return {
    connections: BigInt(words[(at[S32.connections] as number) >> 2] as number),
    inPackets: BigInt(words[(at[S32.inPackets] as number) >> 2] as number),
    outPackets: BigInt(words[(at[S32.outPackets] as number) >> 2] as number),
    inBytes: u64At(memory, at[S32.inBytes] as number),
    outBytes: u64At(memory, at[S32.outBytes] as number),
    connectionRate: words[(at[S32.connectionRate] as number) >> 2] as number,
    inPacketRate: words[(at[S32.inPacketRate] as number) >> 2] as number,
    outPacketRate: words[(at[S32.outPacketRate] as number) >> 2] as number,
    inByteRate: words[(at[S32.inByteRate] as number) >> 2] as number,
    outByteRate: words[(at[S32.outByteRate] as number) >> 2] as number,
  };
}

/** Shared by all that saw no traffic: in a large table these are many, and there is much to keep for each. */
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

function nestIn(memory: Memory, from: number, to: number, type: number): number {
  const at = commandAttrs.locate(memory, from + GENL_HEADER, to)[type] as number;
  if (at === 0) throw new IpvsError('malformed-reply', 'reply without a service or destination');
  return at;
}

/** The end of the attribute whose value begins at `at`. */
function endOf({ halves }: Memory, at: number): number {
  return at - 4 + (halves[(at - 4) >> 1] as number);
}

function textAt(memory: Memory, at: number): string {
  return at === 0 ? '' : cstring.read(memory.view, at, endOf(memory, at) - at);
}
