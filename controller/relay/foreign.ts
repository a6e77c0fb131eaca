/** Objects of someone else that have the name of an object to publish: a forced apply would take them over. */

import { ControllerError } from '../errors.ts';
import { required } from '../input/schema-messages.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { listAll, metadataSchema } from '../kubernetes/listing.ts';
import { RELAY_LABEL } from '../kubernetes/relayed.ts';
import { collectionPath, type Resource } from '../kubernetes/resources.ts';

/** Resolves with the names of objects that are not of this relay; rejects if they cannot be listed. */
export type Others = () => Promise<ReadonlySet<string>>;

export interface ForeignOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  /** Value of the label on the objects of this relay. */
  readonly relay: string;
}

/** A name that the relay wants for an object belongs to an object of someone else. */
export class ForeignObject extends ControllerError {}

/** Lists the names when first asked for, and never again. */
export function othersOf(
  resource: Resource,
  { client, namespace, relay }: ForeignOptions,
  signal: AbortSignal,
): Others {
  const list = async () => {
    const listing = {
      path: collectionPath(resource, namespace),
      labelSelector: `${RELAY_LABEL}!=${relay}`,
      project: (json: unknown) => required(metadataSchema, json, 'an object of Kubernetes').metadata.name,
    };
    const { items } = await listAll(client, listing, signal);
    return new Set(items);
  };
  let names: ReturnType<Others> | null = null;
  return () => {
    names ??= list();
    return names;
  };
}

/** Rejects with a `ForeignObject` if one of `others` has this name. */
export async function refuseForeign(
  resource: Resource,
  { namespace, relay }: Pick<ForeignOptions, 'namespace' | 'relay'>,
  name: string,
  others: Others,
): Promise<void> {
  if (!(await others()).has(name)) return;
  throw new ForeignObject(
    'source',
    `${resource.kind} ${namespace}/${name} exists and is not of this relay: its label ${RELAY_LABEL} is not "${relay}"; remove it, or publish in another namespace (--kubernetes-namespace)`,
  );
}
