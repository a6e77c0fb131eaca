import type { KubernetesClient } from '../../kubernetes/client.ts';
import { microTime } from '../../kubernetes/election.ts';
import type { MarathonAppStatus } from '../../kubernetes/marathon-app.ts';
import { apiVersion, collectionPath, EVENTS, MARATHON_APPS, objectPath } from '../../kubernetes/resources.ts';
import type { Clock } from '../../ports.ts';
import { type AppEvent, conditionEvents } from './app-events.ts';
import type { StatusObject } from './status-object.ts';

export interface StatusApiOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** A name that identifies this host. */
  readonly identity: string;
}

/** The field manager of the status fields. */
const MANAGER = 'marathon-ipvs-status';

/** Writes the status of an object, and Events for its changes. Rejects with an `ApiFailure`, or as the client does. */
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
  await publish(options, object, conditionEvents(object.status, status), signal);
}

/** Publishes Events about an object. Rejects as `writeStatus` does. */
export async function publish(
  options: StatusApiOptions,
  object: StatusObject,
  events: readonly AppEvent[],
  signal: AbortSignal,
): Promise<void> {
  for (const event of events) await publishOne(options, object, event, signal);
}

async function publishOne(
  { client, clock, identity }: StatusApiOptions,
  object: StatusObject,
  { type, reason, note }: AppEvent,
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
