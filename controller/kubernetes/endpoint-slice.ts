import { z } from 'zod';
import { addressText } from '../address.ts';
import { shown } from '../input/rejection.ts';
import { required } from '../input/schema-messages.ts';
import { type Place, placeOf } from '../model/place.ts';
import type { Versioned } from './listing.ts';

/** The fields of discovery.k8s.io/v1 that are used here. Empty lists may be null. */
const sliceSchema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    resourceVersion: z.string().min(1),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  addressType: z.string(),
  ports: z
    .array(
      z.object({ name: z.string().nullish(), protocol: z.string().nullish(), port: z.unknown().optional() }),
    )
    .nullish(),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        conditions: z
          .object({
            ready: z.boolean().nullish(),
            serving: z.boolean().nullish(),
            terminating: z.boolean().nullish(),
          })
          .nullish(),
        targetRef: z.object({ name: z.string().nullish() }).nullish(),
        zone: z.string().nullish(),
        nodeName: z.string().nullish(),
      }),
    )
    .nullish(),
});

export interface Slice extends Versioned {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly addressType: string;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SlicePort {
  /** Empty for the only port of a Service without a port name. */
  readonly name: string;
  /** In lower case. */
  readonly protocol: string;
  /** null for all ports, which cannot be balanced to, and for what is no port number. */
  readonly port: number | null;
  /** Why it has no port number although something is given. */
  readonly fault?: string;
}

export interface SliceEndpoint {
  readonly address: string;
  /** Why its address is none; absent where the slice has names rather than addresses. */
  readonly fault?: string;
  /** Name of the pod or task behind it; its address if unknown. */
  readonly target: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Zone and node; absent if both are unknown. */
  readonly place?: Place;
}

/** Reads an EndpointSlice from the API server's JSON. Throws if it is malformed. */
export function readSlice(json: unknown): Slice {
  const { metadata, addressType, ports, endpoints } = required(sliceSchema, json, 'an EndpointSlice');
  const faultAt = (at: string, value: unknown, expected: string) => ({
    fault: `EndpointSlice ${metadata.name}: ${at} is ${JSON.stringify(shown(value))}, expected ${expected}`,
  });
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    resourceVersion: metadata.resourceVersion,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    addressType,
    ports: (ports ?? []).map(({ name, protocol, port = null }, i) => {
      const number = isPortNumber(port) ? port : null;
      const isWrong = port !== null && number === null;
      return {
        name: name ?? '',
        protocol: (protocol ?? 'TCP').toLowerCase(),
        port: number,
        ...(isWrong && faultAt(`ports[${i}].port`, port, 'a port number from 1 to 65535')),
      };
    }),
    endpoints: (endpoints ?? []).flatMap(
      ({ addresses: [address], conditions, targetRef, zone, nodeName }, i) => {
        // "No semantics are defined for additional addresses beyond the first" (API reference).
        if (address === undefined) return [];
        // Unknown conditions count as true, an unknown `terminating` as false.
        const ready = conditions?.ready ?? true;
        const serving = conditions?.serving ?? ready;
        const terminating = conditions?.terminating ?? false;
        const place = placeOf({ zone, node: nodeName });
        const target = targetRef?.name || address || `${metadata.name} endpoints[${i}]`;
        const isWrong = canServe({ addressType }) && addressText(address) === null;
        return [
          {
            ...{ address, target, ready, serving, terminating },
            ...(place !== undefined && { place }),
            ...(isWrong && faultAt(`endpoints[${i}].addresses[0]`, address, ADDRESS_EXPECTED)),
          },
        ];
      },
    ),
  };
}

const ADDRESS_EXPECTED =
  'an IPv4 address of four decimal numbers without leading zeros, or an IPv6 address without zone';

/** The API server does not check the range of these numbers. */
function isPortNumber(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Whether its endpoints can be backends: they have IP addresses rather than names. */
export function canServe({ addressType }: Pick<Slice, 'addressType'>): boolean {
  return addressType === 'IPv4' || addressType === 'IPv6';
}
