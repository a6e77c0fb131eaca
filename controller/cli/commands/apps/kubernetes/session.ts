import type { Config } from '../../../../config/config.ts';
import type { Translate } from '../../../../desired/translate.ts';
import type { KubernetesClient } from '../../../../kubernetes/client.ts';
import type { AppPorts } from '../messages.ts';
import { type Cluster, type KnownObject, readCluster } from './cluster.ts';
import type { ObjectWriter } from './write.ts';

/** The context of one command for a cluster. */
export interface ClusterSession {
  readonly config: Config;
  readonly client: KubernetesClient;
  readonly writer: ObjectWriter;
  /** The translation that the controllers on the hosts use. */
  readonly translate: Translate;
  readonly ports: AppPorts;
  readonly signal: AbortSignal;
}

/** Lists the objects in the configured namespace, or in all; prints a warning if it may not list all. */
export async function listCluster({ config, client, ports, signal }: ClusterSession): Promise<Cluster> {
  const namespace = config.kubernetesNamespace ?? null;
  const cluster = await readCluster({ client, clock: ports.clock, namespace }, signal);
  if (cluster.warning !== null) ports.printError(`warning: ${cluster.warning}`);
  return cluster;
}

/** The objects that declare an app; only those of the configured framework, if there is one. */
export function declaring(
  { objects }: Pick<Cluster, 'objects'>,
  id: string,
  { framework }: Pick<Config, 'framework'>,
): readonly KnownObject[] {
  return objects.filter((one) => one.id === id && (framework === undefined || one.framework === framework));
}
