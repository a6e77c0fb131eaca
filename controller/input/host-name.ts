import { isIP, isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';

/**
 * Whether `text` may be resolved as a host name. The last label of a name is never a number (RFC 1123, section 2.1), but the
 * system's resolver takes such text for an address in an old form: `010.0.0.9` is 8.0.0.9 there, `10.9` is 10.0.0.9 and
 * `0x0a000001` is 10.0.0.1. An address in its usual form is no host name either.
 */
export function isHostName(text: string): boolean {
  const ascii = domainToASCII(text);
  return ascii !== '' && !ascii.startsWith('[') && isIP(ascii) === 0;
}

/** Parses a URL; null where it is none, or its host is an IPv4 address in another form than four decimal numbers. */
export function parseUrl(text: string, base?: URL): URL | null {
  const url = URL.parse(text, base);
  if (url === null || !isIPv4(url.hostname) || !NAMES_HOST.test(text)) return url;
  const [place = ''] = text.split(/[?#]/);
  return place.includes(url.hostname) ? url : null;
}

/** Has a scheme or a host; anything else is relative to the base. */
const NAMES_HOST = /^\s*(?:[a-z][a-z\d+.-]*:|[/\\]{2})/i;
