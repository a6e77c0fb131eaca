/** Parsers and formatters for the values of settings, in labels and in `ipvsadm` lines. */

import { bitsOf, type Family } from '../address.ts';

/** The result of parsing an invalid value. */
export class Refused {
  /** What was expected: `expected a whole number from 0 to 65535`. */
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export type Parsed<Value> = Value | Refused;

/** Options of one `ipvsadm` line by short name; an option without a value has an empty one. */
export type IpvsadmOptions = ReadonlyMap<string, string>;

/** Returns a parser for whole numbers from 0 to `most`. */
export function readNumber(most: number): (text: string) => Parsed<number> {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return number <= most ? number : new Refused(`expected a whole number from 0 to ${most}`);
  };
}

export function readOneOf<Word extends string>(text: string, words: readonly Word[]): Parsed<Word> {
  return words.find((word) => word === text) ?? new Refused(`expected one of ${words.join(', ')}`);
}

export function readTruth(text: string): Parsed<boolean> {
  return text === 'true' ? true : text === 'false' ? false : new Refused('expected true or false');
}

/** Parses prefix lengths: `24` for IPv4 (IPv6 keeps whole addresses), or `24/64` for IPv4 and IPv6. */
export function readPrefixes(text: string): Parsed<Readonly<Record<Family, number>>> {
  const [ipv4 = 0, ipv6 = 0] = (/^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text) ?? [])
    .slice(1)
    .map((part) => Number(part ?? 128));
  return ipv4 >= 1 && ipv4 <= 32 && ipv6 >= 1 && ipv6 <= 128
    ? { ipv4, ipv6 }
    : new Refused('expected a prefix length for IPv4, 1 to 32, or one for IPv4 and one for IPv6, as 24/64');
}

/** A prefix length as `ipvsadm -M` takes it: 24 is 255.255.255.0 for IPv4, and 24 for IPv6. */
export function toNetmask(prefix: number, family: Family): string {
  if (family === 'ipv6') return String(prefix);
  const mask = (0xffff_ffff << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join('.');
}

/** The reverse of `toNetmask`; also accepts a prefix length for IPv4. */
export function parseNetmask(text: string | undefined, family: Family): Parsed<number> {
  if (text === undefined) return bitsOf(family);
  if (/^\d+$/.test(text)) return Number(text);
  const bits = text
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  if (!/^1*0*$/.test(bits) || bits.length !== 32) return new Refused(`-M: expected a netmask, got "${text}"`);
  return bits.lastIndexOf('1') + 1;
}

/** The kernel's numbers have 32 bits. */
const MAX_UINT32 = 0xffff_ffff;

/** The value of an option as a number; `absent` when the line lacks it. */
export function numberOf(options: IpvsadmOptions, option: string, absent: number): Parsed<number> {
  const text = options.get(option);
  if (text === undefined) return absent;
  return /^\d+$/.test(text) && Number(text) <= MAX_UINT32
    ? Number(text)
    : new Refused(`${option} wants a number from 0 to ${MAX_UINT32}`);
}

/** An option of `ipvsadm` for a number that defaults to 0. */
export function countOption(short: string, long: string) {
  return {
    ipvsadm: { [short]: { long } },
    print: (count: number) => (count > 0 ? `${short} ${count}` : ''),
    parse: (options: IpvsadmOptions) => numberOf(options, short, 0),
  };
}
