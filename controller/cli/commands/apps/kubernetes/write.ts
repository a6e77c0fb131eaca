import { ApiFailure } from '../../../../kubernetes/api-failure.ts';
import type { KubernetesClient, Method, RequestOptions } from '../../../../kubernetes/client.ts';
import { RELAY_LABEL, RELAY_MANAGER } from '../../../../kubernetes/relayed.ts';
import { apiVersion, collectionPath, MARATHON_APPS, objectPath } from '../../../../kubernetes/resources.ts';
import type { Clock } from '../../../../ports.ts';
import { isRecord } from '../../../../rejection.ts';
import { retryWhileBusy } from '../../../../source/kubernetes/retry-while-busy.ts';
import { type KnownObject, readKnown } from './cluster.ts';
import type { Proposal } from './proposal.ts';

/** Writes MarathonApps for a person. Rejects with an `ApiFailure` for what the API server refuses. */
export interface ObjectWriter {
  create(proposal: Proposal, name: string, namespace: string): Promise<KnownObject>;
  /**
   * Replaces the spec by what `next` makes of the object, and adds labels and annotations. Only if it is still as it was
   * read, or as the proposal was made from; with `force` whatever it is by now.
   */
  replace(before: KnownObject, next: Next, force: boolean): Promise<KnownObject>;
  /** Writes the spec of an object of a relay, so that the relay takes all of it back when it next writes. */
  overrule(before: KnownObject, next: Next): Promise<KnownObject>;
  /** Removes this very object, not another one that has its name by now. */
  remove(object: KnownObject): Promise<void>;
  /** null: there is none of this name. */
  get(object: Pick<KnownObject, 'name' | 'namespace'>): Promise<KnownObject | null>;
}

export interface Next {
  readonly spec: (before: KnownObject) => Readonly<Record<string, unknown>>;
  readonly labels: Proposal['labels'];
  readonly annotations: Proposal['annotations'];
  readonly madeFrom: Proposal['madeFrom'];
}

/** Of the fields that such a command owns. Strict: a field that the server would drop is refused (1.25 and later). */
const QUERY = { fieldManager: 'marathon-ipvs', fieldValidation: 'Strict' };
/** Others write too, above all the elected controller its status. */
const TRIES = 5;

export function createObjectWriter(
  client: KubernetesClient,
  clock: Clock,
  signal: AbortSignal,
): ObjectWriter {
  const type = { apiVersion: apiVersion(MARATHON_APPS), kind: MARATHON_APPS.kind };
  // A server that is too busy has done nothing: it is safe to retry.
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
      const said = { labels: added(undefined, labels), annotations: added(undefined, annotations) };
      const body = { ...type, metadata: { name, namespace, ...said }, spec };
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

/** Whether the spec is unchanged since; a new status is no change. */
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
