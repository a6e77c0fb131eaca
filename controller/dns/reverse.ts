/** Names and zones for reverse lookups (RFC 1035, section 3.5, and RFC 3596, section 2.5). */

import ipaddr from 'ipaddr.js';

/** `55.217.134.11.in-addr.arpa`, `1.0.….ip6.arpa`. */
export function reverseName(address: string): string {
  const parsed = ipaddr.parse(address);
  return nameOf(parsed.toByteArray(), parsed.toByteArray().length === 4 ? 4 : 32);
}

/**
 * Returns the zones that hold exactly the reverse names of a network: `11.in-addr.arpa` for 11.0.0.0/8, sixteen zones for
 * a /12, since a label starts only at every eighth bit of an IPv4 address and at every fourth of an IPv6 address.
 */
export function reverseZones(network: string): string[] {
  const [address, prefix] = ipaddr.parseCIDR(network);
  const bytes = address.toByteArray();
  const bitsPerLabel = bytes.length === 4 ? 8 : 4;
  const labels = Math.ceil(prefix / bitsPerLabel);
  const spare = labels * bitsPerLabel - prefix;
  const last = ((labels - 1) * bitsPerLabel) >> 3;
  const unit = bitsPerLabel === 4 && labels % 2 === 1 ? 16 : 1;
  return Array.from({ length: 2 ** spare }, (_, i) =>
    nameOf(
      bytes.map((byte, at) => (at === last ? byte + i * unit : byte)),
      labels,
    ),
  );
}

/** The reverse name of the first labels of an address. */
function nameOf(bytes: readonly number[], labels: number): string {
  if (bytes.length === 4) return [...bytes.slice(0, labels).reverse(), 'in-addr.arpa'].join('.');
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [...[...digits.slice(0, labels)].reverse(), 'ip6.arpa'].join('.');
}
