/** Parsers of option values. They return `undefined` for text that is not accepted. */

import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseUrl } from '../input/host-name.ts';

/** A source of apps, `--source KIND=WHERE`. */
export type SourceOption =
  | {
      readonly kind: 'marathon' | 'mesos' | 'mesos-agent';
      readonly where: string;
      /** Base URLs. */
      readonly masters: readonly string[];
    }
  | { readonly kind: 'file'; readonly where: string }
  /** `where`: a context of the kubeconfig file; empty for the current context, or the service account of the pod. */
  | { readonly kind: 'kubernetes'; readonly where: string };

/** The table to compare with: the live kernel, an empty table, or the output of `ipvsadm -Sn` in a file. */
export type AgainstOption =
  | { readonly kind: 'kernel' }
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly path: string };

/** An address to listen on, without brackets. Port 0 means any free port. */
export interface ListenOption {
  readonly address: string;
  readonly port: number;
}

/** The name of a source in messages, metrics and on disk: `marathon=http://10.0.0.1:8080`. */
export function sourceName({ kind, where }: SourceOption): string {
  return where === '' ? kind : `${kind}=${where}`;
}

/** The name of a network namespace for `ip netns`, or its path. */
export function parseNetworkNamespace(text: string): string | undefined {
  return /^[\w.@-]{1,255}$/.test(text) || /^\/[^\0\n]{1,4000}$/.test(text) ? text : undefined;
}

export function parseSource(text: string): SourceOption | undefined {
  if (text === 'kubernetes') return { kind: text, where: '' };
  const [, kind, where] = /^([a-z-]+)=(.+)$/s.exec(text) ?? [];
  if (where === undefined) return undefined;
  if (kind === 'file' || kind === 'kubernetes') return isPath(where) ? { kind, where } : undefined;
  if (kind !== 'marathon' && kind !== 'mesos' && kind !== 'mesos-agent') return undefined;
  const masters = where.split(',').map(parseMaster);
  if (!masters.every((master) => master !== undefined)) return undefined;
  if (new Set(masters).size < masters.length) return undefined;
  if (kind === 'mesos-agent' && masters.length > 1) return undefined;
  return { kind, where: masters.join(','), masters };
}

/** One Marathon, `--marathon URL[,URL…]`. */
export function parseMarathon(text: string): { readonly where: string } | undefined {
  return parseSource(`marathon=${text}`);
}

/** The backends of a MarathonApp, `--endpoints`: `spec.endpoints` of the object. */
export type EndpointsOption =
  | { readonly service: string }
  | { readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } };

const LABEL =
  /^((?:[a-z0-9.-]{1,253}\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)=((?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?)$/;

export function parseEndpoints(text: string): EndpointsOption | undefined {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) return { service: text };
  const labels = text.split(',').map((one) => LABEL.exec(one));
  if (!labels.every((found) => found !== null)) return undefined;
  const matchLabels = Object.fromEntries(labels.map(([, key = '', value = '']) => [key, value]));
  return Object.keys(matchLabels).length < labels.length ? undefined : { selector: { matchLabels } };
}

/** The base URL without a trailing slash: `http://10.0.0.1:8080`, `https://dcos.example.com/service/marathon`. */
function parseMaster(text: string): string | undefined {
  const url = /^https?:\/\/[^\s?#\\]+$/.test(text) ? parseUrl(text) : null;
  if (url === null) return undefined;
  const { origin, pathname, username, password } = url;
  return username + password === '' ? origin + pathname.replace(/\/+$/, '') : undefined;
}

/** The base URL of a controller, without a trailing slash: `http://10.0.0.1:61421`. */
export function parseServer(text: string): string | undefined {
  return parseMaster(text);
}

/** Whether a URL carries a user name or a password, well-formed or not. */
export function hasCredentials(text: string): boolean {
  return /\/\/[^/?#]*@/.test(text);
}

/** Masks anything in a URL that may be a password, for a message; rather too much than too little. */
export function withoutCredentials(text: string): string {
  // File URLs have no credentials, but may contain node_modules/@someone.
  return text.replace(/(?<!file:\/?)\/\/\S*@/g, '//***@');
}

export function parseAgainst(text: string): AgainstOption | undefined {
  if (text === 'kernel' || text === 'none') return { kind: text };
  return isPath(text) ? { kind: 'file', path: text } : undefined;
}

/** null for `off`. */
export function parseListen(text: string): ListenOption | null | undefined {
  if (text === 'off') return null;
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (plain !== undefined) return isIPv4(plain) ? { address: plain, port } : undefined;
  return bracketed !== undefined && isIPv6(bracketed) ? { address: bracketed, port } : undefined;
}

/** Empty for `off`. */
export function parseDnsListen(text: string): readonly ListenOption[] | undefined {
  if (text === 'off') return [];
  const all = text.split(',').map((each) => (each === 'off' ? undefined : parseListen(each)));
  if (!all.every((each) => each != null && isOneAddress(each.address))) return undefined;
  const listens = all.filter((each) => each != null);
  const distinct = new Set(listens.map(({ address, port }) => `${ipaddr.parse(address)} ${port}`));
  return distinct.size === listens.length ? listens : undefined;
}

/** A DNS server on a wildcard address may answer from another address than it was queried at, which clients reject. */
function isOneAddress(address: string): boolean {
  return !NOT_ONE.has(ipaddr.parse(address).range());
}

const NOT_ONE: ReadonlySet<string> = new Set(['unspecified', 'multicast', 'broadcast', 'ipv4Mapped']);

/** null for `auto`. */
export function parseHostAddress(text: string): string | null | undefined {
  if (text === 'auto') return null;
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  return isUsable(text) ? ipaddr.parse(text).toString() : undefined;
}

/** null for `auto`. */
export function parseHostId(text: string): string | null | undefined {
  if (text === 'auto') return null;
  return text.length <= 255 && /^[^\s\p{C}]+$/u.test(text) ? text : undefined;
}

/** The name of a region or a zone. */
export function parsePlaceName(text: string): string | undefined {
  return parseHostId(text) ?? (text === 'auto' ? text : undefined);
}

interface PrefixBounds {
  readonly family: 'ipv4' | 'ipv6';
  readonly shortest: number;
  readonly longest: number;
}

/** A network in CIDR notation, `11.0.0.0/8`, without host bits. */
export function parseNetwork(text: string, { family, shortest, longest }: PrefixBounds): string | undefined {
  const [, address = '', digits] = /^([^/%]+)\/(\d{1,3})$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (isIP(address) !== (family === 'ipv4' ? 4 : 6)) return undefined;
  if (!(prefix >= shortest && prefix <= longest) || !isUsable(address)) return undefined;
  const parsed = ipaddr.parse(address);
  const network = (parsed.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(text);
  return network.toString() === parsed.toString() ? `${parsed}/${prefix}` : undefined;
}

/** Ranges whose addresses can be neither a VIP nor a source address of a host. */
const UNUSABLE: ReadonlySet<string> = new Set([
  'unspecified',
  'loopback',
  'multicast',
  'linkLocal',
  'broadcast',
  'ipv4Mapped',
]);

function isUsable(address: string): boolean {
  return !UNUSABLE.has(ipaddr.parse(address).range());
}

/** A DNS zone in lower case, without a trailing dot. */
export function parseZone(text: string): string | undefined {
  const zone = text.toLowerCase().replace(/\.$/, '');
  const labels = zone.split('.');
  // The longest name and framework, which precede the zone, take 63 + 1 + 63 + 1 characters.
  return zone.length <= 125 && labels.every((label) => DNS_LABEL.test(label)) ? zone : undefined;
}

/** `none`, or zones joined by commas, each once. */
export function parseExtraZones(text: string): readonly string[] | undefined {
  if (text === 'none') return [];
  const zones = text.split(',').map(parseZone);
  const known = zones.filter((zone) => zone !== undefined);
  return known.length === zones.length && new Set(known).size === zones.length ? known : undefined;
}

/** Names in certificates, joined by commas, each once. */
export function parseClientNames(text: string): readonly string[] | undefined {
  const names = text.split(',');
  const usable = names.every((name) => name !== '' && name === name.trim() && !/\p{Cc}/u.test(name));
  return usable && new Set(names).size === names.length ? names : undefined;
}

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** An interface name. Linux accepts more characters; those that a shell needs quoted are refused. */
export function parseInterface(text: string): string | undefined {
  // The loopback interface, and two names that /proc/sys/net/ipv4/conf reserves.
  const taken = text === 'lo' || text === 'all' || text === 'default';
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(text) && !taken ? text : undefined;
}

export function parsePath(text: string): string | undefined {
  return isPath(text) ? text : undefined;
}

/** A file name without a directory. */
export function parseFileName(text: string): string | undefined {
  return isPath(text) && !text.includes('/') && !text.startsWith('.') ? text : undefined;
}

function isPath(text: string): boolean {
  return text.trim() !== '' && !text.includes('\0');
}

/** A Kubernetes namespace: a DNS label. */
export function parseNamespace(text: string): string | undefined {
  return DNS_LABEL.test(text) ? text : undefined;
}

export function parseFramework(text: string): string | undefined {
  return /[A-Za-z0-9]/.test(text) && text.length <= 255 && !/\p{Cc}/u.test(text) ? text : undefined;
}

/** A number in decimal digits, without sign, blank, exponent or `0x`. */
export function parseWholeNumber(text: string, min: number, max: number): number | undefined {
  const value = Number(text);
  return /^\d{1,9}$/.test(text) && value >= min && value <= max ? value : undefined;
}
