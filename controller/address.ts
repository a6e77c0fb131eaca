import ipaddr from 'ipaddr.js';

export type Family = 'ipv4' | 'ipv6';

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** An address with its one text form, the one that the kernel's side of the program uses too. */
export interface Address {
  readonly family: Family;
  /** Dotted decimal, or RFC 5952: `fd01:c::1`. */
  readonly text: string;
  readonly value: bigint;
}

/** The address that `text` writes, strictly: four decimal parts without leading zeros, or IPv6 without brackets and zone. */
export function parseAddress(text: string): Address | null {
  // The patterns come first because ipaddr.js throws and catches inside: 70 us for each name that is no address.
  if (!text.includes(':')) {
    if (!isDottedDecimal(text)) return null;
    return { family: 'ipv4', text, value: toValue(ipaddr.IPv4.parse(text)) };
  }
  if (!/^[\da-f:.]+$/i.test(text) || !ipaddr.IPv6.isValid(text)) return null;
  // ipaddr.js takes `::1.2.3.4` for `::ffff:1.2.3.4`.
  const parsed = ipaddr.IPv6.parse(/^::\d+\./.test(text) ? `::0:${text.slice(2)}` : text);
  return { family: 'ipv6', text: textOf(parsed), value: toValue(parsed) };
}

/** The text of an address given as a number; the opposite of `parseAddress`. */
export function formatAddress(family: Family, value: bigint): string {
  if (family === 'ipv4') {
    const bits = Number(value);
    return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
  }
  const parts: number[] = [];
  for (const shift of [96n, 64n, 32n, 0n]) {
    const word = Number((value >> shift) & 0xffffffffn);
    parts.push(word >>> 16, word & 0xffff);
  }
  return textOf(new ipaddr.IPv6(parts));
}

/** The one text form of any address, null for other text; IPv6 with a zone is no address for a backend. */
export function addressText(text: string | null | undefined): string | null {
  if (!text) return null;
  if (!text.includes(':')) return isDottedDecimal(text) ? text : null;
  return parseAddress(text)?.text ?? null;
}

/** The same of a backend's address, cheaper; null for IPv6 text that is none. IPv4 has one form only and passes as it is. */
export function canonicalAddress(address: string): string | null {
  return address.includes(':') ? (parseAddress(address)?.text ?? null) : address;
}

/** The same where it is an address; other text as it is. For keys of maps, which may come from any text. */
export function canonicalText(text: string): string {
  return canonicalAddress(text) ?? text;
}

/** The same without a zone: `fe80::1` of `fe80::1%eth0`. */
export function canonicalWithoutZone(text: string): string {
  const [address = text] = text.split('%');
  return canonicalAddress(address) ?? text;
}

/** The family of an address that is known to be one. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** The number of bits of an address: the prefix length of a single one. */
export function bitsOf(family: Family): number {
  return family === 'ipv4' ? 32 : 128;
}

/**
 * Why no VIP can have this address, on any host: `127.0.0.1 is a loopback address, which no VIP can have`. Null when
 * one can. Whose address it is already is not known here.
 */
export function unusableAsVip(address: Address): string | null {
  const range = specialRange(address);
  return range === null ? null : `${address.text} is ${range.is}, which no VIP can have`;
}

/**
 * What makes this address unfit for a backend, on any host: `a loopback address`. Null when traffic can be sent there.
 * The text must be canonical; other text is unfit too.
 */
export function unusableAsBackend(text: string): string | null {
  // There may be a hundred thousand of them, and nearly all are of this kind.
  if (ORDINARY_IPV4.test(text)) return null;
  const address = parseAddress(text);
  if (address === null) return 'not an IP address';
  const range = specialRange(address);
  if (range === null) return null;
  return range.translated === true ? translatedFault(address) : range.is;
}

/** Outside every special range: first part 1 to 223, and neither 127 nor 169. */
const ORDINARY_IPV4 =
  /^(?!127\.|169\.)(?:22[0-3]|2[01]\d|1\d\d|[1-9]\d?)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

interface SpecialRange {
  readonly family: Family;
  /** The network is the addresses with these leading bits. */
  readonly bits: number;
  readonly prefix: bigint;
  readonly is: string;
  /** Its last 32 bits are an IPv4 address that a gateway reaches: no VIP, but a backend as good as that address. */
  readonly translated?: true;
}

/**
 * The addresses that no host has for itself alone. Tried on Linux 6.1: the kernel refuses unspecified, multicast,
 * broadcast, mapped and IPv6 link-local ones as a destination. The others it takes, and they are dangerous: loopback
 * means each client's own host, link-local another host on each link, and the rest leads nowhere.
 *
 * 240.0.0.0/4 is left out: the kernel routes it, and some networks use it.
 */
// biome-ignore format: aligned table
const SPECIAL: readonly SpecialRange[] = [
  range('0.0.0.0',         32,  'the unspecified address'),
  range('0.0.0.0',         8,   'an address of 0.0.0.0/8, which stands for "this network"'),
  range('127.0.0.0',       8,   'a loopback address'),
  range('169.254.0.0',     16,  'a link-local address'),
  range('224.0.0.0',       4,   'a multicast address'),
  range('255.255.255.255', 32,  'the broadcast address'),
  range('::',              128, 'the unspecified address'),
  range('::1',             128, 'a loopback address'),
  range('::',              96,  'an IPv4 address in the old IPv6 form (IPv4-compatible)'),
  range('::ffff:0:0',      96,  'an IPv4 address in IPv6 form (IPv4-mapped)'),
  range('::ffff:0:0:0',    96,  'an IPv4 address in IPv6 form (IPv4-translated)'),
  { ...range('64:ff9b::',  96,  'an address of NAT64, which stands for an IPv4 host'), translated: true },
  range('100::',           64,  'a discard-only address'),
  range('fe80::',          10,  'a link-local address'),
  range('ff00::',          8,   'a multicast address'),
];

function range(network: string, bits: number, is: string): SpecialRange {
  const address = parseAddress(network);
  if (address === null) throw new Error(`${network} is not an address`);
  return { family: address.family, bits, prefix: leadingBits(address, bits), is };
}

function specialRange(address: Address): SpecialRange | null {
  return (
    SPECIAL.find(
      ({ family, bits, prefix }) => family === address.family && leadingBits(address, bits) === prefix,
    ) ?? null
  );
}

function leadingBits({ family, value }: Address, bits: number): bigint {
  return value >> BigInt(bitsOf(family) - bits);
}

function translatedFault({ value }: Address): string | null {
  const text = formatAddress('ipv4', value & 0xffffffffn);
  const fault = unusableAsBackend(text);
  return fault === null ? null : `the NAT64 address of ${text}, ${fault}`;
}

function isDottedDecimal(text: string): boolean {
  return /^[\d.]{7,15}$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** As inet_ntop has it, and so ipvsadm and the library: a mapped IPv4 address keeps its dots. */
function textOf(address: ipaddr.IPv6): string {
  return address.isIPv4MappedAddress() ? `::ffff:${address.toIPv4Address()}` : address.toRFC5952String();
}

function toValue(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
