import { familyOf } from './address.ts';
import { ATTR_HEADER, attributesIn, viewOf } from './codec.ts';
import { toDestinationAttrs, toServiceAttrs, toServiceIdAttrs } from './convert.ts';
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
  for (const attribute of attributesIn(viewOf(bytes), ATTR_HEADER, bytes.length))
    if (attribute.type === type) return attribute.from;
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

/** All that services of one family may have in common. */
const SHARED = [
  'protocol',
  'scheduler',
  'schedulerFlags',
  'onePacket',
  'persistence',
  'persistenceEngine',
] as const satisfies readonly (keyof (VirtualService & AddressServiceId))[];

/** Field by field: an observed service has more, and counters do not go in JSON. */
export function shapeKey(service: VirtualService & AddressServiceId): string {
  return JSON.stringify([familyOf(service.address), ...SHARED.map((field) => service[field])]);
}

/** Whether two services of one family differ in nothing but address and port. */
export function sameShape(a: VirtualService & AddressServiceId, b: VirtualService): boolean {
  if (!('address' in b) || familyOf(a.address) !== familyOf(b.address)) return false;
  for (const field of SHARED) if (a[field] !== b[field]) return false;
  return true;
}
