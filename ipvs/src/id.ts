import { familyOf } from './address.ts';
import type { AddressFamily, DestinationId, ServiceId } from './types.ts';

/**
 * A service id as a string, for map keys and messages: `tcp/10.96.4.7:80`, `udp/[fd00::7]:53`, `fwmark/5/ipv4`.
 *
 * Addresses are not normalized: write them in one form, or equal services have different keys. Those read from the kernel
 * are in the form of RFC 5952.
 */
export function serviceKey(id: ServiceId): string {
  if ('fwmark' in id) return `fwmark/${id.fwmark}/${id.family}`;
  return `${id.protocol}/${destinationKey(id)}`;
}

/** A destination id as a string: `10.1.2.3:31244`, `[fd00::3]:80`. Addresses are not normalized. */
export function destinationKey({ address, port }: DestinationId): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The address family of a service. */
export function serviceFamily(id: ServiceId): AddressFamily {
  return 'fwmark' in id ? id.family : familyOf(id.address);
}

/** Whether two ids identify the same service. Addresses are compared as text. */
export function isSameService(a: ServiceId, b: ServiceId): boolean {
  if ('fwmark' in a) return 'fwmark' in b && a.fwmark === b.fwmark && a.family === b.family;
  if ('fwmark' in b) return false;
  return a.address === b.address && a.port === b.port && a.protocol === b.protocol;
}
