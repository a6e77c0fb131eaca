import { isRecord } from '../../../../input/rejection.ts';
import { ApiFailure } from '../../../../kubernetes/api-failure.ts';
import type { KubernetesClient, Method, RequestOptions } from '../../../../kubernetes/client.ts';
import { RELAY_LABEL, RELAY_MANAGER } from '../../../../kubernetes/relayed.ts';
import { apiVersion, collectionPath, MARATHON_APPS, objectPath } from '../../../../kubernetes/resources.ts';
import type { Clock } from '../../../../ports.ts';
import { retryWhileBusy } from '../../../../source/kubernetes/retry-while-busy.ts';
import { type KnownObject, readKnown } from './cluster.ts';
import type { Proposal } from './proposal.ts';

/** Writes MarathonApps for the app commands. Rejects with an `ApiFailure` if the API server refuses. */
export interface ObjectWriter {
  create(proposal: Proposal, name: string, namespace: string): Promise<KnownObject>;
  /**
   * Replaces the spec with the result of `next`, and adds labels and annotations. Without `force` only if the object has not
   * changed since it was read, or since the manifest was made from it.
   */
  replace(before: KnownObject, next: Next, force: boolean): Promise<KnownObject>;
  /** Overwrites the spec of a relay's object in the relay's name, so that the relay reverts all of it on its next write. */
  overrule(before: KnownObject, next: Next): Promise<KnownObject>;
  /** Removes exactly this object, not a newer one with the same name. */
  remove(object: KnownObject): Promise<void>;
  /** null if there is no object of this name. */
  get(object: Pick<KnownObject, 'name' | 'namespace'>): Promise<KnownObject | null>;
}

export interface Next {
  readonly spec: (before: KnownObject) => Readonly<Record<string, unknown>>;
  readonly labels: Proposal['labels'];
  readonly annotations: Proposal['annotations'];
  readonly madeFrom: Proposal['madeFrom'];
}

/** Strict: a server of 1.25 or later refuses fields that it would otherwise drop. */
const QUERY = { fieldManager: 'marathon-ipvs', fieldValidation: 'Strict' };
/** Tries in case of conflicts, above all with the elected controller, which writes the status. */
const TRIES = 5;

export function createObjectWriter(
  client: KubernetesClient,
  clock: Clock,
  signal: AbortSignal,
): ObjectWriter {
  const type = { apiVersion: apiVersion(MARATHON_APPS), kind: MARATHON_APPS.kind };
  // A server that is too busy has not executed the request, so a retry is safe.
  const call = (method: Method, path: string, options: RequestOptions) =>
    retryWhileBusy(() => client.call(method, path, options, signal), clock, Math.random, signal);
  const get: ObjectWriter['get'] = async (object) => {
    try {
      return readKnown(await call('GET', objectPath(MARATHON_APPS, object), {}));
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404 && !error.unknownKind) return null;
      throw error;
    }
  };
  return {
    get,
    async create({ spec, labels, annotations }, name, namespace) {
      const marks = { labels: added(undefined, labels), annotations: added(undefined, annotations) };
      const body = { ...type, metadata: { name, namespace, ...marks }, spec };
      return readKnown(await call('POST', collectionPath(MARATHON_APPS, namespace), { query: QUERY, body }));
    },
    async replace(before, next, force) {
      let current = before;
      let { resourceVersion, generation }: NonNullable<Proposal['madeFrom']> = next.madeFrom ?? before;
      for (let left = TRIES - 1; ; left -= 1) {
        try {
          const body = replaced(current, next, resourceVersion);
          return readKnown(await call('PUT', objectPath(MARATHON_APPS, before), { query: QUERY, body }));
        } catch (error) {
          const fresh = isConflict(error) && left > 0 ? await get(before) : null;
          if (fresh === null || !(force || untouched(before.uid, generation, fresh))) throw error;
          current = fresh;
          ({ resourceVersion, generation } = fresh);
        }
      }
    },
    async overrule(before, next) {
      const { name, namespace } = before;
      const its = labelsOf(before)[RELAY_LABEL];
      const labels = { ...next.labels, ...(its !== undefined && { [RELAY_LABEL]: its }) };
      const metadata = { name, namespace, labels, annotations: added(undefined, next.annotations) };
      const body = { ...type, metadata, spec: next.spec(before) };
      const query = { ...QUERY, fieldManager: RELAY_MANAGER, force: true };
      const contentType = 'application/apply-patch+yaml';
      const options = { query, body, contentType };
      return readKnown(await call('PATCH', objectPath(MARATHON_APPS, before), options));
    },
    async remove({ name, namespace, uid }) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
      await call('DELETE', objectPath(MARATHON_APPS, { name, namespace }), { body });
    },
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiFailure && error.status === 409;
}

/** Whether the spec has not changed since; changes of the status do not count. */
function untouched(uid: string, generation: number | null, fresh: KnownObject): boolean {
  return fresh.uid === uid && fresh.generation === generation;
}

function replaced(object: KnownObject, { spec, labels, annotations }: Next, resourceVersion: string): object {
  const metadata = isRecord(object.json['metadata']) ? object.json['metadata'] : {};
  return {
    ...object.json,
    apiVersion: apiVersion(MARATHON_APPS),
    kind: MARATHON_APPS.kind,
    metadata: {
      ...metadata,
      resourceVersion,
      labels: added(metadata['labels'], labels),
      annotations: added(metadata['annotations'], annotations),
    },
    spec: spec(object),
  };
}

function labelsOf({ json }: KnownObject): Readonly<Record<string, unknown>> {
  const { labels } = (json['metadata'] ?? {}) as { labels?: unknown };
  return isRecord(labels) ? labels : {};
}

function added(before: unknown, more: Readonly<Record<string, string>>): object | undefined {
  const all = { ...(isRecord(before) ? before : {}), ...more };
  return Object.keys(all).length === 0 ? undefined : all;
}
