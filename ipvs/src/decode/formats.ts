import { addressBits, formatAddressAt, prefixLengthOf } from '../address.ts';
import { viewOf } from '../codec.ts';
import type { MaskedFlags } from '../scalars.ts';
import type { AddressFamily } from '../types.ts';
import {
  AF_INET,
  AF_INET6,
  IP_VS_CONN_F,
  IP_VS_STATE,
  IP_VS_SVC_F,
  IP_VS_TUNNEL_FLAG,
  IP_VS_TUNNEL_TYPE,
  IPPROTO,
} from '../uapi.ts';

/** Formats a value; undefined if it does not have this format. `family`: address family of the service or destination. */
export type Format = (value: unknown, family: AddressFamily | undefined) => string | undefined;

/** Formats for values that are more than a number or a string. */
export const formats = {
  family: enumeration({ AF_INET, AF_INET6 }),
  protocol: enumeration(
    Object.fromEntries(
      Object.entries(IPPROTO).map(([name, number]) => [`IPPROTO_${name.toUpperCase()}`, number]),
    ),
  ),
  tunnelType: enumeration(IP_VS_TUNNEL_TYPE),
  tunnelFlags: flags(IP_VS_TUNNEL_FLAG),
  daemonState: flags(IP_VS_STATE),
  operationFlags: flags({ 'admin-perm': 1, do: 2, dump: 4, haspol: 8, 'uns-admin-perm': 16 }),
  serviceFlags: (value) => {
    const { value: bits, mask } = value as MaskedFlags;
    return `${flagNames(IP_VS_SVC_F, bits)} (mask 0x${mask.toString(16)})`;
  },
  forwardingMethod: (value) => {
    const method = (value as number) & IP_VS_CONN_F.FWD_MASK;
    const more = ((value as number) & ~IP_VS_CONN_F.FWD_MASK) >>> 0;
    const name = methods(method, undefined);
    if (name === undefined || more === 0) return name;
    return `${name} (and flags 0x${more.toString(16)})`;
  },
  /** Without a family, it is IPv4 if all bytes after the first four are zero. */
  address: (value, family) => {
    const bytes = value as Uint8Array;
    return formatBytes(bytes, family ?? (bytes.subarray(4).some((byte) => byte !== 0) ? 'ipv6' : 'ipv4'));
  },
  netmask: (value, family = 'ipv4') => {
    const bytes = value as Uint8Array;
    if (bytes.length !== 4) return undefined;
    const length = prefixLengthOf(viewOf(bytes), 0, bytes.length, family);
    if (family === 'ipv6') return `/${length}`;
    return `${formatBytes(bytes, family)} (/${Math.min(length, addressBits(family))})`;
  },
  ipv4: (value) => [24, 16, 8, 0].map((shift) => ((value as number) >>> shift) & 0xff).join('.'),
  ipv6: (value) => formatBytes(value as Uint8Array, 'ipv6'),
  version: (value) => [16, 8, 0].map((shift) => ((value as number) >>> shift) & 0xff).join('.'),
} as const satisfies Readonly<Record<string, Format>>;

/** Name of a format, as rows of attribute tables have it. */
export type FormatName = keyof typeof formats;

const { MASQ, LOCALNODE, TUNNEL, DROUTE, BYPASS } = IP_VS_CONN_F;
const methods = enumeration({ MASQ, LOCALNODE, TUNNEL, DROUTE, BYPASS });

function formatBytes(bytes: Uint8Array, family: AddressFamily): string | undefined {
  const size = family === 'ipv4' ? 4 : 16;
  return bytes.length < size ? undefined : formatAddressAt(viewOf(bytes), 0, bytes.length, family);
}

function enumeration(names: Readonly<Record<string, number>>): Format {
  return (value) => {
    const name = Object.keys(names).find((each) => names[each] === value);
    return name === undefined ? undefined : inSpec(name);
  };
}

function flags(names: Readonly<Record<string, number>>): Format {
  return (value) => flagNames(names, value as number);
}

/** Formats flags as `persistent|onepacket|0x100`, or `0`. */
export function flagNames(names: Readonly<Record<string, number>>, bits: number): string {
  let rest = bits;
  const set: string[] = [];
  for (const [name, bit] of Object.entries(names)) {
    if ((rest & bit) !== bit) continue;
    set.push(inSpec(name));
    rest &= ~bit;
  }
  if (rest !== 0 || set.length === 0) set.push(rest === 0 ? '0' : `0x${(rest >>> 0).toString(16)}`);
  return set.join('|');
}

/** The name of a constant in the specification. Constants of other header files keep their names. */
export function inSpec(name: string): string {
  return /^(?:AF|IPPROTO)_/.test(name) ? name : name.toLowerCase().replaceAll('_', '-');
}
