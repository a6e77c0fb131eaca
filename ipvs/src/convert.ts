import { addressBits, familyNumber, familyOf, netmaskBytes, parseAddress } from './address.ts';
import { IpvsError } from './errors.ts';
import { serviceFamily } from './id.ts';
import type { DestinationAttrs, ServiceAttrs } from './tables.ts';
import type {
  AddressFamily,
  Destination,
  DestinationId,
  ForwardingMethod,
  SchedulerFlag,
  ServiceId,
  ServiceOptions,
  Tunnel,
  VirtualService,
} from './types.ts';
import {
  IP_VS_CONN_F,
  IP_VS_NAME_MAXLEN,
  IP_VS_SVC_F,
  IP_VS_TUNNEL_FLAG,
  IP_VS_TUNNEL_TYPE,
  IPPROTO,
} from './uapi.ts';

/** Flags that a writer may set. HASHED belongs to the kernel: with it in the mask, an update would unhash the service. */
const WRITABLE_FLAGS =
  IP_VS_SVC_F.PERSISTENT |
  IP_VS_SVC_F.ONEPACKET |
  IP_VS_SVC_F.SCHED1 |
  IP_VS_SVC_F.SCHED2 |
  IP_VS_SVC_F.SCHED3;

/** Scheduler flags and their bits, in the order in which they are listed when read. */
export const schedulerFlags: readonly (readonly [SchedulerFlag, number])[] = [
  ['flag-1', IP_VS_SVC_F.SCHED1],
  ['flag-2', IP_VS_SVC_F.SCHED2],
  ['flag-3', IP_VS_SVC_F.SCHED3],
];

/** Forwarding methods as IP_VS_CONN_F_*. */
export const forwardingMethods: Readonly<Record<ForwardingMethod, number>> = {
  masquerade: IP_VS_CONN_F.MASQ,
  local: IP_VS_CONN_F.LOCALNODE,
  tunnel: IP_VS_CONN_F.TUNNEL,
  'direct-route': IP_VS_CONN_F.DROUTE,
  bypass: IP_VS_CONN_F.BYPASS,
};

/** Tunnel checksums as IP_VS_TUNNEL_ENCAP_FLAG_*. */
export const tunnelChecksums: Readonly<Record<NonNullable<Tunnel['checksum']>, number>> = {
  none: 0,
  checksum: IP_VS_TUNNEL_FLAG.CSUM,
  'remote-checksum': IP_VS_TUNNEL_FLAG.REMCSUM,
};

/** The number for a name. Throws `invalid` with the known names. */
export function numberOf<N extends string>(
  what: string,
  numbers: Readonly<Record<N, number>>,
  name: N,
): number {
  const number: unknown = numbers[name];
  if (typeof number === 'number') return number;
  throw new IpvsError(
    'invalid',
    `${what} ${JSON.stringify(name)}: expected one of ${Object.keys(numbers).join(', ')}`,
  );
}

/** Inverts a table of names and numbers, for {@link nameOf}. */
export function byNumber<N extends string>(numbers: Readonly<Record<N, number>>): ReadonlyMap<number, N> {
  return new Map(Object.entries<number>(numbers).map(([name, number]) => [number, name as N]));
}

/** The name for a number. Throws `malformed-reply` if it is unknown. */
export function nameOf<N extends string>(what: string, names: ReadonlyMap<number, N>, number: number): N {
  const name = names.get(number);
  if (name !== undefined) return name;
  throw new IpvsError('malformed-reply', `${what} ${number} is unknown`);
}

/** Returns `value`. Throws `invalid` unless it is an integer from `min` to `max`. */
export function checkRange(what: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new IpvsError('invalid', `${what} ${value}: expected an integer from ${min} to ${max}`);
}

/** Returns `name`. Throws `invalid` unless it is printable ASCII and short enough for the kernel. */
export function checkName(what: string, name: string): string {
  // Names of schedulers, engines and interfaces are ASCII, so a character is a byte.
  if (/^[\x21-\x7e]+$/.test(name) && name.length < IP_VS_NAME_MAXLEN) return name;
  throw new IpvsError(
    'invalid',
    `${what} ${JSON.stringify(name)}: expected 1 to ${IP_VS_NAME_MAXLEN - 1} characters`,
  );
}

/** The attributes that identify a service. */
export function toServiceIdAttrs(id: ServiceId): ServiceAttrs {
  if ('fwmark' in id) {
    checkFamily(id.family);
    return { family: familyNumber(id.family), fwmark: checkRange('fwmark', id.fwmark, 1, 0xffff_ffff) };
  }
  return {
    family: familyNumber(familyOf(id.address)),
    protocol: numberOf('protocol', IPPROTO, id.protocol),
    address: parseAddress(id.address),
    port: checkPort(id.port),
  };
}

function checkFamily(family: AddressFamily): void {
  if (family === 'ipv4' || family === 'ipv6') return;
  throw new IpvsError('invalid', `family ${JSON.stringify(family)}: expected ipv4 or ipv6`);
}

/** All attributes of a service: the kernel requires them to add or update it. */
export function toServiceAttrs(service: VirtualService): ServiceAttrs {
  const { scheduler, persistence, persistenceEngine } = service;
  const family = serviceFamily(service);
  return {
    ...toServiceIdAttrs(service),
    scheduler: checkName('scheduler', scheduler),
    // Without the attribute, as with an empty name, the kernel removes the engine (ip_vs_edit_service).
    persistenceEngine: persistenceEngine === undefined ? undefined : checkName('engine', persistenceEngine),
    flags: { value: flagsOf(service), mask: WRITABLE_FLAGS },
    timeout: persistence ? checkRange('persistence timeout', persistence.timeoutSeconds, 1, 0x7fff_ffff) : 0,
    netmask: netmaskBytes(persistence?.prefixLength ?? addressBits(family), family),
  };
}

function flagsOf({ onePacket, persistence, schedulerFlags: wanted = [] }: ServiceOptions): number {
  let flags = (onePacket ? IP_VS_SVC_F.ONEPACKET : 0) | (persistence ? IP_VS_SVC_F.PERSISTENT : 0);
  const known = Object.fromEntries(schedulerFlags) as Record<SchedulerFlag, number>;
  for (const flag of wanted) flags |= numberOf('scheduler flag', known, flag);
  return flags;
}

/** The attributes that identify a destination of a service. */
export function toDestinationIdAttrs({ address, port }: DestinationId): DestinationAttrs {
  return {
    family: familyNumber(familyOf(address)),
    address: parseAddress(address),
    port: checkPort(port),
  };
}

/** All attributes of a destination: the kernel requires them to add or update it. */
export function toDestinationAttrs(destination: Destination): DestinationAttrs {
  return {
    ...toDestinationIdAttrs(destination),
    forwardingMethod: forwardingNumber(destination.forwardingMethod),
    weight: checkWeight(destination.weight),
    upperThreshold: checkThreshold(destination.upperThreshold ?? 0),
    lowerThreshold: checkThreshold(destination.lowerThreshold ?? 0),
    ...(destination.tunnel && toTunnelAttrs(destination.tunnel)),
  };
}

/** The number of a forwarding method. Throws `invalid`. */
export function forwardingNumber(method: ForwardingMethod): number {
  return numberOf('forwarding method', forwardingMethods, method);
}

/** Returns `weight`. Throws `invalid` unless the kernel accepts it: it refuses negative ones (ip_vs_add_dest). */
export function checkWeight(weight: number): number {
  return (weight & 0x7fff_ffff) === weight ? weight : checkRange('weight', weight, 0, 0x7fff_ffff);
}

/** Returns `threshold`, in connections; 0 is no limit. Throws `invalid` unless it fits in 32 bits. */
export function checkThreshold(threshold: number): number {
  return (threshold & 0x7fff_ffff) === threshold
    ? threshold
    : checkRange('threshold', threshold, 0, 0xffff_ffff);
}

/** Returns `port`. Throws `invalid` unless it fits in 16 bits. */
export function checkPort(port: number): number {
  return (port & 0xffff) === port ? port : checkRange('port', port, 0, 0xffff);
}

function toTunnelAttrs({ type, port = 0, checksum = 'none' }: Tunnel): DestinationAttrs {
  return {
    tunnelType: numberOf('tunnel type', IP_VS_TUNNEL_TYPE, type),
    tunnelPort: checkRange('tunnel port', port, 0, 0xffff),
    tunnelFlags: numberOf('tunnel checksum', tunnelChecksums, checksum),
  };
}
