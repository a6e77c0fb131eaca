import { messageOf } from '../errors.ts';
import { required } from '../input/schema-messages.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { listAll, metadataSchema } from '../kubernetes/listing.ts';
import { objectName } from '../kubernetes/object-name.ts';
import { RELAY_LABEL } from '../kubernetes/relayed.ts';
import { collectionPath, MARATHON_APPS } from '../kubernetes/resources.ts';
import type { App } from '../model/app.ts';
import type { Clock, Log, SavedApps } from '../ports.ts';
import { kubernetesSource } from '../source/kubernetes/source.ts';

/** Which objects are a relay's. */
export interface PublishedOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Namespace of the published objects. */
  readonly namespace: string;
  /** Name of the relay. */
  readonly name: string;
}

/** Reads the apps that relays of this name published, as hosts read them. Rejects if they cannot be read. */
export async function readPublished(
  { client, clock, random, namespace, name }: PublishedOptions,
  signal: AbortSignal,
): Promise<readonly App[]> {
  const listing = {
    path: collectionPath(MARATHON_APPS, namespace),
    labelSelector: `${RELAY_LABEL}=${name}`,
    project: (json: unknown) => required(metadataSchema, json, 'a MarathonApp').metadata.name,
    // The source below names it.
    unread: () => undefined,
  };
  const { items } = await listAll(client, listing, signal);
  const own = new Set(items);
  const { apps } = await kubernetesSource(client, { context: '', namespace, clock, random }).read(signal);
  return apps.filter((app) => own.has(objectName(app)));
}

/**
 * The saved state of a relay's sources. A relay has no disk: what an earlier one published is what its sources last
 * reported. All sources get the same apps, since what is published does not tell where each is from.
 */
export function publishedAsSaved(
  options: PublishedOptions & { readonly log: Log },
  signal: AbortSignal,
): SavedApps {
  return async () => {
    try {
      return { apps: await readPublished(options, signal) };
    } catch (error) {
      if (!signal.aborted)
        options.log.warn('cannot read the published apps: what a source cannot read now is left out', {
          error: messageOf(error),
        });
      return null;
    }
  };
}
