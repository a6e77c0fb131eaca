import { familyOf } from './address.ts';
import { ATTR_HEADER, attributesIn, viewOf } from './codec.ts';
import { toDestinationAttrs, toServiceAttrs, toServiceIdAttrs } from './convert.ts';
import { GENL_HEADER, genlPayload } from './genl.ts';
import { MESSAGE_HEADER, message } from './message.ts';
import { commandAttrs, destinationAttrs, serviceAttrs } from './tables.ts';
import type { AddressFamily, AddressServiceId, Destination, VirtualService } from './types.ts';
import { GENL, NLM_F } from './uapi.ts';

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
  return { bytes, at: placesIn(bytes, 0, rows, places) };
}

/** The places in the nest that begins at `nest`. */
function placesIn<Place extends string>(
  bytes: Uint8Array,
  nest: number,
  rows: Readonly<Record<Place, { readonly type: number }>>,
  places: readonly Place[],
): Readonly<Record<Place, number>> {
  const offsets = places.map((place) => [place, offsetOf(bytes, nest, rows[place].type)]);
  return Object.fromEntries(offsets) as Record<Place, number>;
}

function offsetOf(bytes: Uint8Array, nest: number, type: number): number {
  for (const attribute of attributesIn(viewOf(bytes), nest + ATTR_HEADER, bytes.length))
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

/** A message about a destination without tunnel and thresholds, from its header on. */
export interface DestinationMessage {
  readonly bytes: Uint8Array;
  /** Offset of each value of the service, and of the destination. */
  readonly service: Readonly<Record<(typeof ID_PLACES)[number], number>>;
  readonly destination: Readonly<Record<(typeof DESTINATION_PLACES)[number], number>>;
}

/** Such messages by the address families of service and destination, of no family of netlink yet. */
export const destinationMessages = perFamily((serviceAddress) =>
  perFamily((address) => destinationMessage(serviceAddress, address)),
);

function destinationMessage(serviceAddress: string, address: string): DestinationMessage {
  const id = idTemplates[familyOf(serviceAddress)].bytes;
  const destination: Destination = { address, port: 0, weight: 0, forwardingMethod: 'masquerade' };
  const nest = commandAttrs.write({ destination: toDestinationAttrs(destination) });
  const payload = genlPayload(0, GENL.IPVS_VERSION, Uint8Array.of(...id, ...nest));
  const bytes = message(0, NLM_F.REQUEST, 0, payload);
  const first = MESSAGE_HEADER + GENL_HEADER;
  return {
    bytes,
    service: placesIn(bytes, first, serviceAttrs.rows, ID_PLACES),
    destination: placesIn(bytes, first + id.length, destinationAttrs.rows, DESTINATION_PLACES),
  };
}

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
