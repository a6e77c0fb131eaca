import { openAccess } from '../../kubernetes/access.ts';
import { createKubernetesClient, type KubernetesClient } from '../../kubernetes/client.ts';
import { readSlice } from '../../kubernetes/endpoint-slice.ts';
import { listAll } from '../../kubernetes/listing.ts';
import { collectionPath, ENDPOINT_SLICES, MARATHON_APPS } from '../../kubernetes/resources.ts';
import type { Unread } from '../../kubernetes/unread.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { Pace } from '../../pace.ts';
import type { AppSource, Clock, Log, SavedApps } from '../../ports.ts';
import { systemClock } from '../../time.ts';
import { LastGood } from '../last-good.ts';
import { Catalogue } from './catalogue.ts';
import { KubernetesFollower } from './follower.ts';
import { readDeclaredObject } from './object.ts';
import type { ReferenceBook } from './references.ts';
import { retryWhileBusy } from './retry-while-busy.ts';

/** The cluster to read, and how often. */
export interface KubernetesSourceOptions {
  /** Context in the kubeconfig file; empty for the current context, or the pod's own service account. */
  readonly context: string;
  /** Read only objects of this namespace. Defaults to all. */
  readonly namespace?: string | undefined;
  readonly clock?: Clock | undefined;
  /**
   * How often an unchanged state is published, give or take a tenth, so that its age stays known. Defaults to 300 s.
   */
  readonly relistSeconds?: number | undefined;
  /** How long changes are gathered after a delta; later ones are published at once. Defaults to 20 ms. */
  readonly gatherMs?: number | undefined;
  /** Limit until an answer begins, and for silence within it. Defaults to 30 s. */
  readonly silenceMs?: number | undefined;
  /** Limit for one complete answer. Defaults to 120 s. */
  readonly answerMs?: number | undefined;
  /**
   * A watch that is silent for this long counts as dead. Defaults to 150 s: bookmarks come once a minute, and one may
   * be late.
   */
  readonly watchSilenceMs?: number | undefined;
  readonly random?: (() => number) | undefined;
  /** Records which references of each object were found, while the source is followed. */
  readonly references?: ReferenceBook | undefined;
  /** Saved state, used for objects that are invalid at the first read. */
  readonly saved?: SavedApps | undefined;
}

/**
 * Opens a client for the cluster of a context. Rejects with a `ControllerError` (code `usage`) when no cluster is
 * configured.
 */
export async function openKubernetes({
  context,
  clock = systemClock,
  silenceMs,
  answerMs,
  log,
}: KubernetesSourceOptions & { readonly log?: Log }): Promise<KubernetesClient> {
  const access = await openAccess(context === '' ? null : context, { clock, log });
  return createKubernetesClient({ access, clock, silenceMs, answerMs });
}

/**
 * The apps and pods declared by a Kubernetes cluster's MarathonApps, with the EndpointSlices that they select, followed
 * by watches.
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
    get servers() {
      return [client.server];
    },
    read: (signal) =>
      retryWhileBusy(() => readOnce(client, paths, lastGood(), signal), clock, random, signal),
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
  const unread = { apps: [] as Unread[], slices: [] as Unread[] };
  const noteApp = (object: Unread) => void unread.apps.push(object);
  const noteSlice = (object: Unread) => void unread.slices.push(object);
  const [objects, slices] = await Promise.all([
    listAll(client, { path: paths.apps, project: readDeclaredObject, unread: noteApp }, signal),
    listAll(client, { path: paths.slices, project: readSlice, unread: noteSlice }, signal),
  ]);
  const catalogue = new Catalogue(undefined, lastGood);
  const unknown = (object: Unread) => ({ ...object, isUnknown: true });
  catalogue.setUnread(MARATHON_APPS.kind, unread.apps.map(unknown));
  catalogue.setUnread(ENDPOINT_SLICES.kind, unread.slices.map(unknown));
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
