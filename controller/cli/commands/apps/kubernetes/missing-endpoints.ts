import { ControllerError } from '../../../../errors.ts';
import { readSlice, type Slice } from '../../../../kubernetes/endpoint-slice.ts';
import { fits } from '../../../../kubernetes/label-selector.ts';
import { listAll } from '../../../../kubernetes/listing.ts';
import type { LabelSelector } from '../../../../kubernetes/marathon-app.ts';
import { collectionPath, ENDPOINT_SLICES, objectKey } from '../../../../kubernetes/resources.ts';
import { SERVICE_LABEL } from '../../../../source/kubernetes/declaration.ts';
import { readDeclaredObject } from '../../../../source/kubernetes/object.ts';
import { plural } from '../../../../status/format.ts';
import type { KnownObject } from './cluster.ts';
import type { ClusterSession } from './session.ts';

/** Why an object has no backends in rotation. */
export interface Missing {
  /** What was found, and what to check. */
  readonly words: string;
  /** Number of endpoints that may get connections, on whatever port. */
  readonly ready: number;
}

/**
 * Finds out from the current EndpointSlices why the VIPs of an object have no backend in rotation. null if they cannot be
 * read.
 */
export async function missingEndpoints(
  object: KnownObject,
  { client, signal }: Pick<ClusterSession, 'client' | 'signal'>,
): Promise<Missing | null> {
  const { declaration } = readDeclaredObject(object.json);
  if (!('selector' in declaration)) return null;
  const { selector, ports } = declaration;
  try {
    const path = collectionPath(ENDPOINT_SLICES, object.namespace);
    // The server only filters by labels; expressions are checked below.
    const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
    const listing = { path, labelSelector: labels.join(',') || undefined, project: readSlice };
    const { items } = await listAll(client, listing, signal);
    const slices = items.filter((slice) => fits(selector, slice.labels));
    const wanted = ports.map(({ name, containerPort }) => name ?? String(containerPort ?? 'any'));
    return missingIn(slices, selector, wanted, object);
  } catch (error) {
    signal.throwIfAborted();
    // Not fatal: this only explains the status, which is followed anyway.
    if (error instanceof ControllerError) return null;
    throw error;
  }
}

function missingIn(
  slices: readonly Slice[],
  selector: LabelSelector,
  wanted: readonly string[],
  { namespace }: KnownObject,
): Missing {
  const service = selector.matchLabels?.[SERVICE_LABEL];
  if (slices.length === 0) {
    const words =
      service === undefined
        ? `no EndpointSlice in ${namespace} has the labels of spec.endpoints.selector`
        : `the Service ${namespace}/${service} has no EndpointSlice: is there such a Service, with a selector?`;
    return { words, ready: 0 };
  }
  const endpoints = slices.flatMap((slice) => slice.endpoints);
  const names = slices.map(objectKey).sort();
  const which = `EndpointSlice ${names[0]}${names.length === 1 ? '' : ` and ${names.length - 1} more`}`;
  if (endpoints.length === 0)
    return { words: `no endpoint in ${which}: does the selector of the Service match pods?`, ready: 0 };
  const ready = endpoints.filter((endpoint) => endpoint.ready && !endpoint.terminating).length;
  if (ready === 0) {
    const none = endpoints.length === 1 ? 'the endpoint' : `none of ${endpoints.length} endpoints`;
    const verb = endpoints.length === 1 ? 'is not' : 'is';
    return { words: `${none} in ${which} ${verb} ready: do the pods pass their readiness probes?`, ready };
  }
  const has = [...new Set(slices.flatMap((slice) => slice.ports.map(portText)))];
  const there = `${plural(ready, 'endpoint')} ready in ${which}, at ${has.join(', ') || 'no port'}`;
  const words = `${there}; the definition has ${wanted.join(', ')}: do names and numbers of the ports agree?`;
  return { words, ready };
}

function portText({ name, port, protocol }: Slice['ports'][number]): string {
  return `${name === '' ? '' : `${name} `}${port ?? 'all ports'}/${protocol}`;
}
