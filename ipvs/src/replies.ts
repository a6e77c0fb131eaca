import { addressBits, familyOfNumber, formatAddressAt, prefixLengthOf } from './address.ts';
import { byNumber, forwardingMethods, schedulerFlags, tunnelChecksums, wordOf } from './convert.ts';
import { IpvsError } from './errors.ts';
import { GENL_HEADER } from './genl.ts';
import { be16At, type Memory, u8At, u16At, u32At, u64AsNumberAt, u64At } from './memory.ts';
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
export interface Reply {
  readonly memory: Memory;
  readonly from: number;
  readonly to: number;
}

/** The same while it is being made: what is at its default is never added. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const protocolWords = byNumber(IPPROTO);
const methodWords = byNumber(forwardingMethods);
const tunnelWords = byNumber(IP_VS_TUNNEL_TYPE);
const checksumWords = byNumber(tunnelChecksums);

const SERVICE = serviceAttrs.types;
const DESTINATION = destinationAttrs.types;

/** The service in a reply. Throws `malformed-reply`. */
export function readService({ memory, from, to }: Reply): ObservedService {
  const nest = nestIn(memory, from, to, commandAttrs.types.service);
  const at = serviceAttrs.locate(memory, nest, endOf(memory, nest));
  const [stats64, stats32] = [place(at, SERVICE.stats64), place(at, SERVICE.stats32)];
  const family = familyOfNumber(u16At(memory, place(at, SERVICE.family)));
  const flags = u32At(memory, place(at, SERVICE.flags));
  const engine = textAt(memory, place(at, SERVICE.persistenceEngine));

  const service: Mutable<ObservedService> = createService(memory, at, family);
  service.scheduler = textAt(memory, place(at, SERVICE.scheduler));
  if (flags & SCHEDULER_FLAGS) service.schedulerFlags = readSchedulerFlags(flags);
  if (flags & IP_VS_SVC_F.ONEPACKET) service.onePacket = true;
  if (flags & IP_VS_SVC_F.PERSISTENT) service.persistence = readPersistence(memory, at, family);
  if (engine !== '') service.persistenceEngine = engine;
  service.stats = readStats(memory, stats64, stats32);
  return service;
}

/** A service with its id. The rest is filled in later, but in the same order of properties for all. */
function createService(memory: Memory, at: Int32Array, family: AddressFamily): ObservedService {
  const fwmark = place(at, SERVICE.fwmark);
  // A service known by its mark has no protocol, address and port on the wire.
  if (fwmark !== 0) return { fwmark: u32At(memory, fwmark), family, scheduler: '', stats: noTraffic };
  return {
    protocol: wordOf('protocol', protocolWords, u16At(memory, place(at, SERVICE.protocol))),
    address: addressAt(memory, required('service address', place(at, SERVICE.address)), family),
    port: be16At(memory, required('service port', place(at, SERVICE.port))),
    scheduler: '',
    stats: noTraffic,
  };
}

const SCHEDULER_FLAGS = schedulerFlags.reduce((all, [, bit]) => all | bit, 0);

function readSchedulerFlags(flags: number): readonly SchedulerFlag[] {
  return schedulerFlags.filter(([, bit]) => flags & bit).map(([name]) => name);
}

function readPersistence(memory: Memory, at: Int32Array, family: AddressFamily): Persistence {
  const timeoutSeconds = u32At(memory, place(at, SERVICE.timeout));
  const netmask = place(at, SERVICE.netmask);
  const bits = addressBits(family);
  const prefixLength =
    netmask === 0 ? bits : prefixLengthOf(memory.bytes.slice(netmask, netmask + 4), family);
  return prefixLength === bits ? { timeoutSeconds } : { timeoutSeconds, prefixLength };
}

/** Mixes what identifies the service in a reply into a checksum, to tell whether two dumps list the same services. */
export function mixServiceId({ memory, from, to }: Reply, checksum: number): number {
  const nest = nestIn(memory, from, to, commandAttrs.types.service);
  const at = serviceAttrs.locate(memory, nest, endOf(memory, nest));
  const address = place(at, SERVICE.address);
  let mixed = mix(checksum, u16At(memory, place(at, SERVICE.family)));
  mixed = mix(mixed, u16At(memory, place(at, SERVICE.protocol)));
  mixed = mix(mixed, be16At(memory, place(at, SERVICE.port)));
  mixed = mix(mixed, u32At(memory, place(at, SERVICE.fwmark)));
  if (address === 0) return mixed;
  for (let word = address; word + 4 <= endOf(memory, address); word += 4)
    mixed = mix(mixed, u32At(memory, word));
  return mixed;
}

/** FNV-1a, a word at a time. */
function mix(checksum: number, word: number): number {
  return Math.imul(checksum ^ word, 0x0100_0193);
}

/** The destination in a reply, of a service of this family. Throws `malformed-reply`. */
export function readDestination({ memory, from, to }: Reply, ofService: AddressFamily): ObservedDestination {
  const nest = nestIn(memory, from, to, commandAttrs.types.destination);
  const at = destinationAttrs.locate(memory, nest, endOf(memory, nest));
  // Kernels before 3.18 send no address family for a destination; it is then the service's.
  const number = u16At(memory, place(at, DESTINATION.family));
  const family = number === 0 ? ofService : familyOfNumber(number);
  const method = u32At(memory, place(at, DESTINATION.forwardingMethod)) & IP_VS_CONN_F.FWD_MASK;
  const upperThreshold = u32At(memory, place(at, DESTINATION.upperThreshold));
  const lowerThreshold = u32At(memory, place(at, DESTINATION.lowerThreshold));

  const destination: Mutable<ObservedDestination> = {
    address: addressAt(memory, required('destination address', place(at, DESTINATION.address)), family),
    port: be16At(memory, required('destination port', place(at, DESTINATION.port))),
    weight: u32At(memory, place(at, DESTINATION.weight)),
    forwardingMethod: wordOf('forwarding method', methodWords, method),
    activeConnections: u32At(memory, place(at, DESTINATION.activeConnections)),
    inactiveConnections: u32At(memory, place(at, DESTINATION.inactiveConnections)),
    persistentConnections: u32At(memory, place(at, DESTINATION.persistentConnections)),
    stats: readStats(memory, place(at, DESTINATION.stats64), place(at, DESTINATION.stats32)),
  };
  if (method === IP_VS_CONN_F.TUNNEL) addTunnel(destination, memory, at);
  if (upperThreshold !== 0) destination.upperThreshold = upperThreshold;
  if (lowerThreshold !== 0) destination.lowerThreshold = lowerThreshold;
  return destination;
}

function addTunnel(destination: Mutable<ObservedDestination>, memory: Memory, at: Int32Array): void {
  const number = u8At(memory, place(at, DESTINATION.tunnelType));
  if (number === IP_VS_TUNNEL_TYPE.ipip) return;
  const tunnel: Mutable<Tunnel> = { type: wordOf('tunnel type', tunnelWords, number) };
  const port = be16At(memory, place(at, DESTINATION.tunnelPort));
  const flags = u16At(memory, place(at, DESTINATION.tunnelFlags));
  if (port !== 0) tunnel.port = port;
  if (flags !== 0) tunnel.checksum = wordOf('tunnel flags', checksumWords, flags);
  destination.tunnel = tunnel;
}

const S64 = stats64Attrs.types;
const S32 = stats32Attrs.types;

/** Statistics at the first place, where a kernel before 4.1 has them at the second. What is left out is zero. */
function readStats(memory: Memory, stats64: number, stats32: number): Stats {
  if (stats64 === 0) return stats32 === 0 ? noTraffic : readStats32(memory, stats32);
  const at = stats64Attrs.locate(memory, stats64, endOf(memory, stats64));
  if (isIdle(memory, at)) return noTraffic;
  return {
    connections: u64At(memory, place(at, S64.connections)),
    inPackets: u64At(memory, place(at, S64.inPackets)),
    outPackets: u64At(memory, place(at, S64.outPackets)),
    inBytes: u64At(memory, place(at, S64.inBytes)),
    outBytes: u64At(memory, place(at, S64.outBytes)),
    connectionRate: u64AsNumberAt(memory, place(at, S64.connectionRate)),
    inPacketRate: u64AsNumberAt(memory, place(at, S64.inPacketRate)),
    outPacketRate: u64AsNumberAt(memory, place(at, S64.outPacketRate)),
    inByteRate: u64AsNumberAt(memory, place(at, S64.inByteRate)),
    outByteRate: u64AsNumberAt(memory, place(at, S64.outByteRate)),
  };
}

function readStats32(memory: Memory, stats32: number): Stats {
  const at = stats32Attrs.locate(memory, stats32, endOf(memory, stats32));
  return {
    connections: BigInt(u32At(memory, place(at, S32.connections))),
    inPackets: BigInt(u32At(memory, place(at, S32.inPackets))),
    outPackets: BigInt(u32At(memory, place(at, S32.outPackets))),
    inBytes: u64At(memory, place(at, S32.inBytes)),
    outBytes: u64At(memory, place(at, S32.outBytes)),
    connectionRate: u32At(memory, place(at, S32.connectionRate)),
    inPacketRate: u32At(memory, place(at, S32.inPacketRate)),
    outPacketRate: u32At(memory, place(at, S32.outPacketRate)),
    inByteRate: u32At(memory, place(at, S32.inByteRate)),
    outByteRate: u32At(memory, place(at, S32.outByteRate)),
  };
}

/** Rates fade after the counters' last change, so they are no matter where all counters are zero. */
function isIdle(memory: Memory, at: Int32Array): boolean {
  return (
    u64AsNumberAt(memory, place(at, S64.inPackets)) === 0 &&
    u64AsNumberAt(memory, place(at, S64.outPackets)) === 0 &&
    u64AsNumberAt(memory, place(at, S64.connections)) === 0
  );
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

function place(at: Int32Array, type: number): number {
  return at[type] as number;
}

function nestIn(memory: Memory, from: number, to: number, type: number): number {
  const at = place(commandAttrs.locate(memory, from + GENL_HEADER, to), type);
  if (at === 0) throw new IpvsError('malformed-reply', 'reply without a service or destination');
  return at;
}

/** The end of the attribute whose value begins at `at`. */
function endOf({ halves }: Memory, at: number): number {
  return at - 4 + (halves[(at - 4) >> 1] as number);
}

function required(what: string, at: number): number {
  if (at === 0) throw new IpvsError('malformed-reply', `reply without ${what}`);
  return at;
}

function addressAt(memory: Memory, at: number, family: AddressFamily): string {
  return formatAddressAt(memory.bytes, at, endOf(memory, at), family);
}

function textAt(memory: Memory, at: number): string {
  return at === 0 ? '' : cstring.read(memory.view, at, endOf(memory, at) - at);
}
