import { z } from 'zod';
import { isRecord } from '../../../../input/rejection.ts';
import { required } from '../../../../input/schema-messages.ts';
import { ApiFailure } from '../../../../kubernetes/api-failure.ts';
import type { KubernetesClient } from '../../../../kubernetes/client.ts';
import { readSlice, type Slice } from '../../../../kubernetes/endpoint-slice.ts';
import { listAll } from '../../../../kubernetes/listing.ts';
import { type MarathonAppStatus, statusSchema } from '../../../../kubernetes/marathon-app.ts';
import { RELAY_LABEL, RELAY_MANAGER } from '../../../../kubernetes/relayed.ts';
import {
  collectionPath,
  ENDPOINT_SLICES,
  MARATHON_APPS,
  type ObjectName,
} from '../../../../kubernetes/resources.ts';
import type { App } from '../../../../model/app.ts';
import type { Snapshot } from '../../../../model/snapshot.ts';
import { Pace } from '../../../../pace.ts';
import type { Clock } from '../../../../ports.ts';
import { absoluteId } from '../../../../source/document/documents.ts';
import { Catalogue } from '../../../../source/kubernetes/catalogue.ts';
import { readDeclaredObject } from '../../../../source/kubernetes/object.ts';
import { retryWhileBusy } from '../../../../source/kubernetes/retry-while-busy.ts';

/** A MarathonApp as the API server has it, even if it cannot be used. */
export interface KnownObject extends ObjectName {
  readonly uid: string;
  readonly resourceVersion: string;
  /** The number of changes of `spec`. */
  readonly generation: number;
  /** Id of the app that it declares; null if it cannot be read. */
  readonly id: string | null;
  readonly kind: App['kind'];
  readonly framework: string;
  /** Name of the relay that wrote it; null if none did. */
  readonly relay: string | null;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: MarathonAppStatus;
  readonly json: Readonly<Record<string, unknown>>;
}

/** The state of a cluster, for the app commands. */
export interface Cluster {
  readonly objects: readonly KnownObject[];
  /** The same objects with their EndpointSlices, as the controllers see them. */
  readonly snapshot: Snapshot;
  /** Set if not everything could be listed. */
  readonly warning: string | null;
}

const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.int().optional(),
    labels: z.record(z.string(), z.string()).nullish(),
    managedFields: z.array(z.looseObject({ manager: z.string().optional() })).nullish(),
  }),
  spec: z.record(z.string(), z.unknown()).catch({}),
  status: statusSchema.catch({}).optional(),
});

/** Reads a MarathonApp; throws if the JSON is not a Kubernetes object. */
export function readKnown(json: unknown): KnownObject {
  const { metadata, spec, status = {} } = required(objectSchema, json, 'an object of Kubernetes');
  const { name, namespace, uid, resourceVersion, generation = 0, labels, managedFields } = metadata;
  const { framework, relayed } = spec;
  const kind = spec['pod'] !== undefined || (isRecord(relayed) && relayed['kind'] === 'pod') ? 'pod' : 'app';
  const declared = spec[kind] ?? relayed;
  const id =
    isRecord(declared) && typeof declared['id'] === 'string' ? absoluteId(declared['id'], '/') : null;
  const byRelay =
    relayed !== undefined || (managedFields ?? []).some(({ manager }) => manager === RELAY_MANAGER);
  return {
    ...{ name, namespace, uid, resourceVersion, generation, id, kind, spec, status },
    framework: typeof framework === 'string' ? framework : 'marathon',
    relay: labels?.[RELAY_LABEL] ?? (byRelay ? 'unknown' : null),
    json: isRecord(json) ? json : {},
  };
}

export interface Reading {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** null for all namespaces, or for the namespace of the context if only that may be read. */
  readonly namespace: string | null;
}

/** Reads all MarathonApps and their EndpointSlices. Rejects with an `ApiFailure` if the API server refuses. */
export async function readCluster(
  { client, clock, namespace }: Reading,
  signal: AbortSignal,
): Promise<Cluster> {
  const list = async (within: string | null) => {
    const path = collectionPath(MARATHON_APPS, within);
    const all = () => listAll(client, { path, project: (json) => json }, signal);
    const { items } = await retryWhileBusy(all, clock, Math.random, signal);
    const slices = await listSlices(client, within, signal);
    return { items, slices };
  };
  try {
    return await clusterOf(await list(namespace), null);
  } catch (error) {
    const forbidden = error instanceof ApiFailure && error.status === 403;
    if (!forbidden || namespace !== null) throw error;
    const own = client.namespace;
    const warning = `only the namespace ${own} can be read: apps in other namespaces with the same VIPs are not known`;
    return await clusterOf(await list(own), warning);
  }
}

/** Lists the EndpointSlices; empty without the permission, since apps can be written without knowing their tasks. */
async function listSlices(
  client: KubernetesClient,
  namespace: string | null,
  signal: AbortSignal,
): Promise<readonly Slice[]> {
  try {
    const path = collectionPath(ENDPOINT_SLICES, namespace);
    return (await listAll(client, { path, project: readSlice }, signal)).items;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 403) return [];
    throw error;
  }
}

async function clusterOf(
  { items, slices }: { readonly items: readonly unknown[]; readonly slices: readonly Slice[] },
  warning: string | null,
): Promise<Cluster> {
  const catalogue = new Catalogue();
  for (const slice of slices) catalogue.sliceChanged(null, slice);
  for (const item of items) catalogue.objectChanged(null, readDeclaredObject(item));
  return { objects: items.map(readKnown), snapshot: await catalogue.snapshot(new Pace()), warning };
}
