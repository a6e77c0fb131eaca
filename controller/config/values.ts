/** How the text of an option becomes its value. `undefined`: not accepted. */

import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where apps come from, as `--source KIND=WHERE` says it. */
export type SourceOption =
  | {
      readonly kind: 'marathon' | 'mesos' | 'mesos-agent';
      readonly where: string;
      /** Base URLs. */
      readonly masters: readonly string[];
    }
  | { readonly kind: 'file'; readonly where: string }
  /** `where`: a context of the kubeconfig file; empty for its current one, or the pod's own service account. */
  | { readonly kind: 'kubernetes'; readonly where: string };

/** What the diff is made against: the live kernel, an empty table, or the output of `ipvsadm -Sn` in a file. */
export type AgainstOption =
  | { readonly kind: 'kernel' }
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly path: string };

/** An address to listen on, without brackets. Port 0: any free one. */
export interface ListenOption {
  readonly address: string;
  readonly port: number;
}

/** `marathon=http://10.0.0.1:8080`: how a source is called in messages, metrics and on disk. */
export function sourceName({ kind, where }: SourceOption): string {
  return where === '' ? kind : `${kind}=${where}`;
}

/** `web` as `ip netns` names it, or the path of a network namespace. */
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

/** One Marathon, as `--marathon URL[,URL…]` says it. */
export function parseMarathon(text: string): { readonly where: string } | undefined {
  return parseSource(`marathon=${text}`);
}

/** Where the backends of a MarathonApp are, as `--endpoints` says it: `spec.endpoints` of the object. */
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

/** The base URL without a slash at its end: `http://10.0.0.1:8080`, `https://dcos.example.com/service/marathon`. */
function parseMaster(text: string): string | undefined {
  if (!/^https?:\/\/[^\s?#\\]+$/.test(text) || !URL.canParse(text)) return undefined;
  const { origin, pathname, username, password } = new URL(text);
  return username + password === '' ? origin + pathname.replace(/\/+$/, '') : undefined;
}

/** The base URL of a controller, without a slash at its end: `http://10.0.0.1:61421`. */
export function parseServer(text: string): string | undefined {
  return parseMaster(text);
}

/** Whether a URL carries a user name or a password, well-formed or not. */
export function hasCredentials(text: string): boolean {
  return /\/\/[^/?#]*@/.test(text);
}

/** Replaces what may be a password within a URL, for a message; rather too much than too little. */
export function withoutCredentials(text: string): string {
  // A file's URL has none, but may well lead through node_modules/@someone.
  return text.replace(/(?<!file:\/?)\/\/\S*@/g, '//***@');
}

export function parseAgainst(text: string): AgainstOption | undefined {
  if (text === 'kernel' || text === 'none') return { kind: text };
  return isPath(text) ? { kind: 'file', path: text } : undefined;
}

/** null: `off`. */
export function parseListen(text: string): ListenOption | null | undefined {
  if (text === 'off') return null;
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (plain !== undefined) return isIPv4(plain) ? { address: plain, port } : undefined;
  return bracketed !== undefined && isIPv6(bracketed) ? { address: bracketed, port } : undefined;
}

/** Empty: `off`. */
export function parseDnsListen(text: string): readonly ListenOption[] | undefined {
  if (text === 'off') return [];
  const all = text.split(',').map((each) => (each === 'off' ? undefined : parseListen(each)));
  if (!all.every((each) => each != null && isOneAddress(each.address))) return undefined;
  const listens = all.filter((each) => each != null);
  const places = new Set(listens.map(({ address, port }) => `${ipaddr.parse(address)} ${port}`));
  return places.size === listens.length ? listens : undefined;
}

/** A server on all addresses would answer from another one than it was asked at, which no client takes. */
function isOneAddress(address: string): boolean {
  return !NOT_ONE.has(ipaddr.parse(address).range());
}

const NOT_ONE: ReadonlySet<string> = new Set(['unspecified', 'multicast', 'broadcast', 'ipv4Mapped']);

/** null: `auto`. */
export function parseHostAddress(text: string): string | null | undefined {
  if (text === 'auto') return null;
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  return isUsable(text) ? ipaddr.parse(text).toString() : undefined;
}

/** null: `auto`. */
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

/** A network in its usual form, `11.0.0.0/8`; none of its host bits may be set. */
export function parseNetwork(text: string, { family, shortest, longest }: PrefixBounds): string | undefined {
  const [, address = '', digits] = /^([^/%]+)\/(\d{1,3})$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (isIP(address) !== (family === 'ipv4' ? 4 : 6)) return undefined;
  if (!(prefix >= shortest && prefix <= longest) || !isUsable(address)) return undefined;
  const parsed = ipaddr.parse(address);
  const network = (parsed.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(text);
  return network.toString() === parsed.toString() ? `${parsed}/${prefix}` : undefined;
}

/** Ranges in which no address can be a VIP or a host's own source address. */
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

/** A DNS zone in lower case, without a dot at its end. */
export function parseZone(text: string): string | undefined {
  const zone = text.toLowerCase().replace(/\.$/, '');
  const labels = zone.split('.');
  // The longest label and framework that a name can have stand before it: 63 + 1 + 63 + 1.
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

/** Linux takes more than this in a name; what an operator would have to quote is refused. */
export function parseInterface(text: string): string | undefined {
  // The last three are no interface of ours in any case: the loopback, and two folders of /proc/sys/net/ipv4/conf.
  const taken = text === 'lo' || text === 'all' || text === 'default';
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(text) && !taken ? text : undefined;
}

export function parsePath(text: string): string | undefined {
  return isPath(text) ? text : undefined;
}

/** The name of a file, without directory. */
export function parseFileName(text: string): string | undefined {
  return isPath(text) && !text.includes('/') && !text.startsWith('.') ? text : undefined;
}

function isPath(text: string): boolean {
  return text.trim() !== '' && !text.includes('\0');
}

/** A namespace of Kubernetes: a DNS label. */
export function parseNamespace(text: string): string | undefined {
  return DNS_LABEL.test(text) ? text : undefined;
}

export function parseFramework(text: string): string | undefined {
  return /[A-Za-z0-9]/.test(text) && text.length <= 255 && !/\p{Cc}/u.test(text) ? text : undefined;
}

/** Decimal digits only: no sign, blank, exponent or `0x`. */
export function parseWholeNumber(text: string, least: number, most: number): number | undefined {
  const value = Number(text);
  return /^\d{1,9}$/.test(text) && value >= least && value <= most ? value : undefined;
}
