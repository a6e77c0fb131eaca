import type { KubernetesClient } from '../../kubernetes/client.ts';
import { microTime } from '../../kubernetes/election.ts';
import type { MarathonAppStatus } from '../../kubernetes/marathon-app.ts';
import { apiVersion, collectionPath, EVENTS, MARATHON_APPS, objectPath } from '../../kubernetes/resources.ts';
import type { Clock } from '../../ports.ts';
import { type Happening, happenings } from './app-events.ts';
import type { StatusObject } from './status-object.ts';

export interface StatusApiOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** Who we are: a name of this host. */
  readonly identity: string;
}

/** Of the fields that we own. */
const MANAGER = 'marathon-ipvs-status';

/** Writes the status of an object, and Events of what that changes. Rejects with an `ApiFailure`, or as the client does. */
export async function writeStatus(
  options: StatusApiOptions,
  object: StatusObject,
  status: MarathonAppStatus,
  signal: AbortSignal,
): Promise<void> {
  const { client } = options;
  const { kind } = MARATHON_APPS;
  const metadata = { name: object.name, namespace: object.namespace, uid: object.uid };
  const body = { apiVersion: apiVersion(MARATHON_APPS), kind, metadata, status };
  const query = { fieldManager: MANAGER, force: true };
  const contentType = 'application/apply-patch+yaml';
  const path = `${objectPath(MARATHON_APPS, object)}/status`;
  await client.call('PATCH', path, { query, body, contentType }, signal);
  await publish(options, object, happenings(object.status, status), signal);
}

/** Makes Events about an object. Rejects as `writeStatus` does. */
export async function publish(
  options: StatusApiOptions,
  object: StatusObject,
  news: readonly Happening[],
  signal: AbortSignal,
): Promise<void> {
  for (const happening of news) await publishOne(options, object, happening, signal);
}

async function publishOne(
  { client, clock, identity }: StatusApiOptions,
  object: StatusObject,
  { type, reason, note }: Happening,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = object;
  const body = {
    apiVersion: apiVersion(EVENTS),
    kind: EVENTS.kind,
    metadata: { generateName: `${name.slice(0, 200)}-`, namespace },
    eventTime: microTime(clock.epoch()),
    reportingController: 'marathon-ipvs.io/controller',
    reportingInstance: identity.slice(0, 128),
    action: 'Reconcile',
    reason,
    note: note.slice(0, 1_024),
    type,
    regarding: {
      apiVersion: apiVersion(MARATHON_APPS),
      kind: MARATHON_APPS.kind,
      name,
      namespace,
      uid,
      resourceVersion,
    },
  };
  await client.call('POST', collectionPath(EVENTS, namespace), { body }, signal);
}
