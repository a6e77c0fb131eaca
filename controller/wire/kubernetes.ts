/** Wires everything that talks to a Kubernetes API server. Loaded only when one is configured. */

import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { AppSource, Clock, Log, Reporter, SavedApps } from '../ports.ts';
import { publishedAsSaved } from '../relay/published-apps.ts';
import { ReferenceBook } from '../source/kubernetes/references.ts';
import { kubernetesSource, openKubernetes } from '../source/kubernetes/source.ts';
import { StatusWriter } from '../status/kubernetes/writer.ts';
import { systemClock } from '../time.ts';

/** The parts of `relay`. */
export interface RelayParts {
  readonly client: KubernetesClient;
  readonly sources: readonly AppSource[];
  readonly clock: Clock;
  readonly log: Log;
  /** Namespace of the published objects. */
  readonly namespace: string;
}

/**
 * Builds the parts of `relay`. `openSources` gets what an earlier relay published. Rejects with a `ControllerError` when
 * no cluster is configured.
 */
export async function wireRelay(
  openSources: (saved: SavedApps) => Promise<readonly AppSource[]>,
  config: Config,
  log: Log,
  signal: AbortSignal,
): Promise<RelayParts> {
  const client = await openKubernetes({ context: '', log, ...limitsOf(config) });
  const clock = systemClock;
  const namespace = config.kubernetesNamespace ?? client.namespace;
  const published = { client, clock, random: Math.random, namespace, name: config.relayName, log };
  const sources = await openSources(publishedAsSaved(published, signal));
  return { client, sources, clock, log, namespace };
}

function limitsOf({ sourceTimeoutSeconds }: Config) {
  return { silenceMs: sourceTimeoutSeconds * 1_000, answerMs: sourceTimeoutSeconds * 12_000 };
}

/** The source of a context (empty for the default one), and the writer of the status of its objects; null when that is off. */
export async function wireKubernetes(
  context: string,
  config: Config,
  log: Log,
  saved?: SavedApps,
): Promise<{ readonly appSource: AppSource; readonly reporter: Reporter | null }> {
  const options = {
    context,
    namespace: config.kubernetesNamespace,
    relistSeconds: config.relistSeconds,
    ...limitsOf(config),
  };
  const client = await openKubernetes({ ...options, log });
  const references = new ReferenceBook();
  const appSource = kubernetesSource(client, { ...options, references, saved });
  if (!config.kubernetesStatus || config.once || config.dryRun) return { appSource, reporter: null };
  const reporter = new StatusWriter({
    client,
    clock: systemClock,
    log,
    namespace: config.kubernetesNamespace ?? null,
    // In a DaemonSet on the host's network this is the node's name.
    identity: `${hostname()}_${process.pid}`,
    random: Math.random,
    references,
  });
  return { appSource, reporter };
}
