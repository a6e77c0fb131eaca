import { parseAddress } from '../address.ts';
import type { Target } from './target.ts';
import { parseVipLabel, withoutZone } from './vip-label.ts';

/** What a suggestion for a label depends on besides its text; both are cleaned. */
export interface FullName {
  readonly framework: string;
  readonly zone: string;
}

/**
 * Why a valid label was probably meant to be another VIP: `"tcp://web:80" is the name tcpweb: …`. For a warning only, since
 * the label keeps the meaning that it had on DC/OS. Null when there is no doubt.
 */
export function doubtOf(label: string, target: Target, zone: string): string | null {
  const text = label.length <= MAX_LENGTH ? label : `${label.slice(0, MAX_LENGTH)}…`;
  const written = label.slice(0, label.lastIndexOf(':'));
  if (target.named === null) {
    return withoutZone(written) === null
      ? null
      : `the zone in "${text}" is left out: the VIP is ${target.address?.text}`;
  }
  if (written.startsWith('/') && parseAddress(written.slice(1)) !== null) {
    return `"${text}" is a name; for the address write it without the slash`;
  }
  const { name, framework } = target.named;
  const why = strangeness(written, zone);
  if (why === null) return null;
  const meant = probably(label, { framework, zone });
  return `"${text}" is the name ${name}: ${why}${meant === null ? '' : `; was ${meant} meant?`}`;
}

/** The valid label that this text was probably meant to be; null when there is none, or when the text is valid itself. */
export function probably(text: string, { framework, zone }: FullName): string | null {
  if (text.length > MAX_LENGTH) return null;
  const bare = text
    .trim()
    .replace(/^["']+|["']+$/g, '')
    .replace(SCHEME, '');
  // A protocol or a path after the port, blanks around the colon or in its place.
  const parts = /^(.*?)\s*(?::|\s)\s*(\+?\d+)\s*(?:\/\S*)?$/s.exec(bare);
  const [, host, port] = parts ?? [];
  if (host === undefined || port === undefined) return null;
  const slash = host.startsWith('/') ? '/' : '';
  const name = host
    .slice(slash.length)
    .replace(/^\[(.*)\]$/, '$1')
    .trim();
  const full = `.${framework}.${zone}`;
  const short = name.toLowerCase().endsWith(full) ? name.slice(0, -full.length) : name;
  const isAddress = parseAddress(short) !== null;
  const meant = `${isAddress ? '' : '/'}${short}:${port}`;
  if (meant === text || meant === `/${text}` || (!isAddress && strangeness(short, zone) !== null))
    return null;
  return parseVipLabel(meant).kind === 'problem' ? null : meant;
}

const MAX_LENGTH = 300;
const SCHEME = /^\/*[a-z][a-z0-9+.-]{0,20}:\/\/+/i;

/** What is odd about a name as written; null when nothing is. */
function strangeness(written: string, zone: string): string | null {
  const name = written.replace(/^\//, '');
  const lower = name.toLowerCase();
  if (SCHEME.test(written)) return 'the protocol of a VIP is that of its port';
  if (name !== name.trim() || written !== written.trim()) return 'blanks are left out';
  if (lower.endsWith(`.${zone}`) || lower.endsWith('.l4lb.thisdcos.directory')) {
    return 'a label has only the first part of the full name';
  }
  if (/^[\d.]*\.[\d.]*(\/\d+)?$/.test(name)) return 'it is not an IPv4 address';
  if (/^[\da-f]*:[\da-f:.]*$/i.test(name)) return 'it is not an IPv6 address';
  const dropped = [...new Set(name.match(/[^a-z0-9._/-]/gi))].slice(0, 5);
  if (dropped.length === 0) return null;
  return `${dropped.map((character) => JSON.stringify(character)).join(', ')} cannot be in a name and is left out`;
}
