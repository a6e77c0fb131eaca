import { familyOf } from './address.ts';
import { ATTR_HEADER, attributesIn, viewOf } from './codec.ts';
import { toDestinationAttrs, toServiceAttrs, toServiceIdAttrs } from './convert.ts';
import { GENL_HEADER, genlPayload } from './genl.ts';
import { MESSAGE_HEADER, message } from './message.ts';
import { commandAttrs, destinationAttrs, serviceAttrs } from './tables.ts';
import type { AddressFamily, AddressServiceId, Destination, VirtualService } from './types.ts';
import { GENL, NLM_F } from './uapi.ts';

/**
 * The bytes that many messages have in common, and the offsets of the values that differ.
 *
 * Writing an attribute table field by field takes several times as long as the kernel needs to handle the message, so
 * frequent messages are copied from a template and patched. Templates themselves are written by attribute tables.
 */
interface Template<Place extends string> {
  readonly bytes: Uint8Array;
  /** Offset of each value. */
  readonly at: Readonly<Record<Place, number>>;
}

/** Makes a template of the attributes in one nest, whose header is at the start of `bytes`. */
function nestTemplate<Place extends string>(
  bytes: Uint8Array,
  rows: Readonly<Record<Place, { readonly type: number }>>,
  places: readonly Place[],
): Template<Place> {
  return { bytes, at: placesIn(bytes, 0, rows, places) };
}

/** The offsets of the values in the nest that starts at `nest`. */
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

/** The nest of a service to add or update, without address and port. */
export type ServiceTemplate = Template<(typeof SERVICE_PLACES)[number]>;

/** Templates of the nest that identifies a service. */
export const idTemplates = perFamily((address) => {
  const bytes = commandAttrs.write({ service: toServiceIdAttrs({ protocol: 'tcp', address, port: 0 }) });
  return nestTemplate(bytes, serviceAttrs.rows, ID_PLACES);
});

/** A whole message about a destination without tunnel and thresholds, including its header. */
export interface DestinationMessage {
  readonly bytes: Uint8Array;
  /** Offset of each value, of the service and of the destination. */
  readonly service: Readonly<Record<(typeof ID_PLACES)[number], number>>;
  readonly destination: Readonly<Record<(typeof DESTINATION_PLACES)[number], number>>;
}

/** Destination messages by the address families of service and destination. The netlink family is filled in later. */
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

/** Makes a template for services that differ from this one only in address and port. Throws `invalid`. */
export function serviceTemplate(service: VirtualService): ServiceTemplate {
  const bytes = commandAttrs.write({ service: toServiceAttrs(service) });
  return nestTemplate(bytes, serviceAttrs.rows, SERVICE_PLACES);
}

/** The fields that services of one family may have in common. */
const SHARED = [
  'protocol',
  'scheduler',
  'schedulerFlags',
  'onePacket',
  'persistence',
  'persistenceEngine',
] as const satisfies readonly (keyof (VirtualService & AddressServiceId))[];

/** A key that is equal for services of the same template. By field: observed services have more, and JSON has no `bigint`. */
export function shapeKey(service: VirtualService & AddressServiceId): string {
  return JSON.stringify([familyOf(service.address), ...SHARED.map((field) => service[field])]);
}

/** Whether two services have the same address family and differ only in address and port. */
export function sameShape(a: VirtualService & AddressServiceId, b: VirtualService): boolean {
  if (!('address' in b) || familyOf(a.address) !== familyOf(b.address)) return false;
  for (const field of SHARED) if (a[field] !== b[field]) return false;
  return true;
}
