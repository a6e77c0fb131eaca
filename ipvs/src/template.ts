import { familyOf } from './address.ts';
import { align4 } from './align.ts';
import { ATTR_HEADER, viewOf } from './codec.ts';
import { toDestinationAttrs, toServiceAttrs, toServiceIdAttrs } from './convert.ts';
import { HOST_IS_LE } from './scalars.ts';
import { commandAttrs, destinationAttrs, serviceAttrs } from './tables.ts';
import type { AddressFamily, AddressServiceId, Destination, VirtualService } from './types.ts';

/**
 * Bytes that are the same in many messages, and the places where they differ.
 *
 * Writing an attribute table field by field costs several times what the kernel takes to carry the message out, so
 * messages that come by the thousand are copied from a template and patched. A template is itself written by a table.
 */
interface Template<Place extends string> {
  readonly bytes: Uint8Array;
  /** Offset of each value. */
  readonly at: Readonly<Record<Place, number>>;
}

/** Makes a template of attributes inside one nest, whose header is at the beginning of `bytes`. */
function nestTemplate<Place extends string>(
  bytes: Uint8Array,
  rows: Readonly<Record<Place, { readonly type: number }>>,
  places: readonly Place[],
): Template<Place> {
  const offsets = places.map((place) => [place, offsetOf(bytes, rows[place].type)]);
  return { bytes, at: Object.fromEntries(offsets) as Record<Place, number> };
}

function offsetOf(bytes: Uint8Array, type: number): number {
  const view = viewOf(bytes);
  for (let at = ATTR_HEADER; at < bytes.length; at += align4(view.getUint16(at, HOST_IS_LE))) {
    if (view.getUint16(at + 2, HOST_IS_LE) === type) return at + ATTR_HEADER;
  }
  throw new Error(`template without attribute ${type}`);
}

const SERVICE_PLACES = ['address', 'port'] as const;
const ID_PLACES = ['protocol', 'address', 'port'] as const;
const DESTINATION_PLACES = ['address', 'port', 'forwardingMethod', 'weight'] as const;

export type ServiceTemplate = Template<(typeof SERVICE_PLACES)[number]>;

/** The nest that names a service. */
export const idTemplates = perFamily((address) => {
  const bytes = commandAttrs.write({ service: toServiceIdAttrs({ protocol: 'tcp', address, port: 0 }) });
  return nestTemplate(bytes, serviceAttrs.rows, ID_PLACES);
});

/** The nest of a destination without tunnel and thresholds. */
export const destinationTemplates = perFamily((address) => {
  const destination: Destination = { address, port: 0, weight: 0, forwardingMethod: 'masquerade' };
  const bytes = commandAttrs.write({ destination: toDestinationAttrs(destination) });
  return nestTemplate(bytes, destinationAttrs.rows, DESTINATION_PLACES);
});

function perFamily<T>(create: (anyAddress: string) => T): Readonly<Record<AddressFamily, T>> {
  return { ipv4: create('0.0.0.0'), ipv6: create('::') };
}

/** The nest of a service with all that it shares with others like it. Throws `invalid`. */
export function serviceTemplate(service: VirtualService): ServiceTemplate {
  const bytes = commandAttrs.write({ service: toServiceAttrs(service) });
  return nestTemplate(bytes, serviceAttrs.rows, SERVICE_PLACES);
}

/** All that services may have in common. Field by field: an observed service has more, and counters do not go in JSON. */
export function shapeKey(service: VirtualService & AddressServiceId): string {
  const { address, protocol, scheduler, schedulerFlags, onePacket, persistence, persistenceEngine } = service;
  const { timeoutSeconds, prefixLength } = persistence ?? {};
  const options = [
    protocol,
    scheduler,
    schedulerFlags,
    onePacket,
    timeoutSeconds,
    prefixLength,
    persistenceEngine,
  ];
  return JSON.stringify([familyOf(address), ...options]);
}

/** Whether two services of one family differ in nothing but address and port. */
export function sameShape(a: VirtualService & AddressServiceId, b: VirtualService): boolean {
  return (
    'address' in b &&
    a.protocol === b.protocol &&
    a.scheduler === b.scheduler &&
    a.schedulerFlags === b.schedulerFlags &&
    a.onePacket === b.onePacket &&
    a.persistence === b.persistence &&
    a.persistenceEngine === b.persistenceEngine &&
    familyOf(a.address) === familyOf(b.address)
  );
}
