import { openAccess } from '../../kubernetes/access.ts';
import { createKubernetesClient, type KubernetesClient } from '../../kubernetes/client.ts';
import { readSlice } from '../../kubernetes/endpoint-slice.ts';
import { listAll } from '../../kubernetes/listing.ts';
import { collectionPath, ENDPOINT_SLICES, MARATHON_APPS } from '../../kubernetes/resources.ts';
import type { Snapshot } from '../../model.ts';
import { Pace } from '../../pace.ts';
import type { AppSource, Clock, SavedApps } from '../../ports.ts';
import { systemClock } from '../../time.ts';
import { LastGood } from '../last-good.ts';
import { Catalogue } from './catalogue.ts';
import { KubernetesFollower } from './follower.ts';
import { readDeclaredObject } from './object.ts';
import { persistently } from './persistently.ts';
import type { ReferenceBook } from './references.ts';

export interface KubernetesSourceOptions {
  /** Context of the kubeconfig file; empty: its current one, or the pod's own service account. */
  readonly context: string;
  /** Only objects of this namespace. Defaults to all. */
  readonly namespace?: string | undefined;
  readonly clock?: Clock | undefined;
  /** How often an unchanged state is published, give or take a tenth, so that its age stays known. Defaults to 300 s. */
  readonly relistSeconds?: number | undefined;
  /** How long changes are gathered after a delta; one that comes later is published at once. Defaults to 20 ms. */
  readonly gatherMs?: number | undefined;
  /** Until an answer begins, and without a byte of it. Defaults to 30 s. */
  readonly silenceMs?: number | undefined;
  /** For one whole answer. Defaults to 120 s. */
  readonly answerMs?: number | undefined;
  /** A watch without a byte for so long is dead. Defaults to 150 s: bookmarks come once a minute, and a watch must outlive one that is late. */
  readonly watchSilenceMs?: number | undefined;
  readonly random?: (() => number) | undefined;
  /** Where a source that is followed notes what it found of what each object refers to. */
  readonly references?: ReferenceBook | undefined;
  /** What was saved of it: an object that cannot be used at the first read declares what it declared then. */
  readonly saved?: SavedApps | undefined;
}

/** A client for the cluster of a context. Rejects (`ControllerError` code `usage`) when no cluster is configured. */
export async function openKubernetes({
  context,
  clock = systemClock,
  silenceMs,
  answerMs,
}: KubernetesSourceOptions): Promise<KubernetesClient> {
  const access = await openAccess(context === '' ? null : context);
  return createKubernetesClient({ access, clock, silenceMs, answerMs });
}

/**
 * Apps and pods of the MarathonApps of a Kubernetes cluster, with the EndpointSlices that they select, followed by
 * watches.
 */
export function kubernetesSource(client: KubernetesClient, options: KubernetesSourceOptions): AppSource {
  const { context, namespace = null, clock = systemClock, random = Math.random } = options;
  const paths = {
    apps: collectionPath(MARATHON_APPS, namespace),
    slices: collectionPath(ENDPOINT_SLICES, namespace),
  };
  const name = context === '' ? 'kubernetes' : `kubernetes=${context}`;
  const lastGood = () => new LastGood(name, options.saved);
  return {
    name,
    servers: [client.server],
    read: (signal) => persistently(() => readOnce(client, paths, lastGood(), signal), clock, random, signal),
    follow: (listener, signal) =>
      new KubernetesFollower({
        client,
        paths,
        clock,
        random,
        listener,
        gatherMs: options.gatherMs ?? 20,
        resyncMs: (options.relistSeconds ?? 300) * 1_000,
        watchSilenceMs: options.watchSilenceMs ?? 150_000,
        references: options.references,
        lastGood: lastGood(),
      }).run(signal),
  };
}

async function readOnce(
  client: KubernetesClient,
  paths: { readonly apps: string; readonly slices: string },
  lastGood: LastGood,
  signal: AbortSignal,
): Promise<Snapshot> {
  const [objects, slices] = await Promise.all([
    listAll(client, { path: paths.apps, project: readDeclaredObject }, signal),
    listAll(client, { path: paths.slices, project: readSlice }, signal),
  ]);
  const catalogue = new Catalogue(undefined, lastGood);
  const pace = new Pace();
  for (const slice of slices.items) {
    catalogue.sliceChanged(null, slice);
    await pace.restIfDue();
  }
  for (const object of objects.items) {
    catalogue.objectChanged(null, object);
    await pace.restIfDue();
  }
  return await catalogue.snapshot(pace);
}
