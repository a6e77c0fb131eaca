import { familyOf } from './address.ts';
import type { AddressFamily, DestinationId, ServiceId } from './types.ts';

/**
 * The text that stands for a service wherever one is needed: `tcp/10.96.4.7:80`, `udp/[fd00::7]:53`, `fwmark/5/ipv4`.
 * Two ids with the same key are the same service, if their addresses are written alike.
 */
export function serviceKey(id: ServiceId): string {
  if ('fwmark' in id) return `fwmark/${id.fwmark}/${id.family}`;
  return `${id.protocol}/${destinationKey(id)}`;
}

/** The same for a destination of a service: `10.1.2.3:31244`, `[fd00::3]:80`. */
export function destinationKey({ address, port }: DestinationId): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The address family of a service. */
export function serviceFamily(id: ServiceId): AddressFamily {
  return 'fwmark' in id ? id.family : familyOf(id.address);
}

/** Whether two ids, with addresses in one spelling, are those of one service. */
export function isSameService(a: ServiceId, b: ServiceId): boolean {
  if ('fwmark' in a) return 'fwmark' in b && a.fwmark === b.fwmark && a.family === b.family;
  if ('fwmark' in b) return false;
  return a.address === b.address && a.port === b.port && a.protocol === b.protocol;
}
