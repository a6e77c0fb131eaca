import { z } from 'zod';
import { required } from '../input/schema-messages.ts';
import { ApiFailure } from '../kubernetes/api-failure.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Versioned } from '../kubernetes/listing.ts';
import { Reflector } from '../kubernetes/reflector.ts';
import {
  APP_LABEL,
  LOCAL_ANNOTATION,
  MANAGED_BY_LABEL,
  PLACES_ANNOTATION,
  PORTS_LABEL,
  RELAY_LABEL,
  RELAY_MANAGER,
  TASKS_ANNOTATION,
} from '../kubernetes/relayed.ts';
import {
  apiVersion,
  collectionPath,
  ENDPOINT_SLICES,
  MARATHON_APPS,
  objectPath,
  type Resource,
} from '../kubernetes/resources.ts';
import { unreadName } from '../kubernetes/unread.ts';
import type { Clock } from '../ports.ts';
import { type Others, othersOf, refuseForeign } from './foreign.ts';
import { membersIn, type OldSlice } from './refusals.ts';
import type { RelayedObject } from './relayed-app.ts';

/** Which objects are a relay's, and who learns of their changes. */
export interface PublishedOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly namespace: string;
  /** Value of the label on the objects of this relay. */
  readonly relay: string;
  /** Called after a change, and once the objects are in sync. Must not throw. */
  readonly changed: () => void;
  readonly failed: (error: Error) => void;
}

/** An object of this relay as the API server has it. */
interface Published extends Versioned {
  /** The fields that the relay owns, except the owner reference, as text for comparison. */
  readonly fingerprint: string;
  readonly uid: string;
  /** Uid of the MarathonApp that owns it; undefined without an owner. */
  readonly owner: string | undefined;
  /** The MarathonApp that an EndpointSlice belongs to. */
  readonly app: string | undefined;
  /** `task address` of each endpoint of an EndpointSlice. */
  readonly members: readonly string[];
}

/** Labels and annotations that the relay owns; others may add their own. */
const OWN_KEYS = [
  RELAY_LABEL,
  APP_LABEL,
  PORTS_LABEL,
  MANAGED_BY_LABEL,
  'endpointslice.kubernetes.io/managed-by',
  TASKS_ANNOTATION,
  LOCAL_ANNOTATION,
  PLACES_ANNOTATION,
];

const texts = z.record(z.string(), z.string()).nullish();
const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    resourceVersion: z.string(),
    uid: z.string(),
    labels: texts,
    annotations: texts,
    ownerReferences: z.array(z.looseObject({ kind: z.string(), uid: z.string() })).nullish(),
  }),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        targetRef: z.looseObject({ name: z.string().nullish() }).nullish(),
      }),
    )
    .nullish(),
});

/** The objects of one kind that a relay has published, kept in sync with the API server. */
export class PublishedKind {
  readonly #options: PublishedOptions;
  readonly #resource: Resource;
  readonly #reflector: Reflector<Published>;
  readonly #owners: PublishedKind | null;
  /** Uids of applied objects, until the watch reports them. */
  readonly #uids = new Map<string, string>();
  inStep = false;
  /** The published objects that cannot be read, `EndpointSlice shop/web-1`: as far as one was read before, that state counts. */
  unread: readonly string[] = [];

  /** `owners`: the MarathonApps that own these objects, so that Kubernetes removes them together. */
  constructor(resource: Resource, options: PublishedOptions, owners: PublishedKind | null = null) {
    this.#owners = owners;
    this.#options = options;
    this.#resource = resource;
    const { client, clock, random, namespace, relay, changed, failed } = options;
    this.#reflector = new Reflector<Published>({
      client,
      clock,
      random,
      path: collectionPath(resource, namespace),
      labelSelector: `${RELAY_LABEL}=${relay}`,
      project: readPublished,
      silenceMs: 150_000,
      listener: {
        changed: (_before, now) => {
          if (now !== null) this.#uids.delete(now.name);
          changed();
        },
        unread: (objects) => {
          this.unread = objects.map((object) => unreadName(resource.kind, object));
          changed();
        },
        behind: () => {
          this.inStep = false;
        },
        inStep: () => {
          this.inStep = true;
          changed();
        },
        failed: (error) => {
          this.inStep = false;
          failed(error);
        },
      },
    });
  }

  /** Follows the API server until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal);
  }

  /** Returns the members of a slice; undefined if there is no slice of this name. */
  membersOf(name: string): readonly string[] | undefined {
    return this.#find(name)?.members;
  }

  /** The number of published objects. */
  get size(): number {
    return this.#reflector.objects.size;
  }

  /** Whether an object of this name is published. */
  includes(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** Returns the names of objects that are neither in `wanted` nor kept by `keeps`. */
  surplus(
    wanted: ReadonlySet<string>,
    keeps: (object: OldSlice) => boolean = () => false,
  ): readonly string[] {
    return [...this.#reflector.objects.values()]
      .filter((object) => !wanted.has(object.name) && !keeps(object))
      .map(({ name }) => name);
  }

  /** Whether the object is published as desired. */
  has(object: RelayedObject): boolean {
    const found = this.#find(object.name);
    return found?.fingerprint === fingerprintOf(object) && found.owner === this.#ownerOf(object);
  }

  /** undefined if there is no object of this name. */
  #uidOf(name: string): string | undefined {
    return this.#uids.get(name) ?? this.#find(name)?.uid;
  }

  #ownerOf({ labels }: Pick<RelayedObject, 'labels'>): string | undefined {
    return this.#owners === null ? undefined : this.#owners.#uidOf(labels[APP_LABEL] ?? '');
  }

  /** The names of objects that are not of this relay, which are listed when first asked for. */
  others(signal: AbortSignal): Others {
    return othersOf(this.#resource, this.#options, signal);
  }

  /**
   * Writes an object with server-side apply. Rejects with a `ForeignObject` if one of `others` has its name: an apply that is
   * forced would take it over.
   */
  async apply(object: RelayedObject, others: Others, signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    const { name, labels, annotations, content } = object;
    if (!this.includes(name)) await refuseForeign(this.#resource, this.#options, name, others);
    const uid = this.#ownerOf(object);
    const { kind } = MARATHON_APPS;
    const owner = {
      apiVersion: apiVersion(MARATHON_APPS),
      kind,
      name: labels[APP_LABEL],
      uid,
      controller: true,
    };
    const owned = uid === undefined ? {} : { ownerReferences: [owner] };
    const metadata = { name, namespace, labels, annotations, ...owned };
    const body = { apiVersion: apiVersion(this.#resource), kind: this.#resource.kind, metadata, ...content };
    const query = { fieldManager: RELAY_MANAGER, force: true };
    const contentType = 'application/apply-patch+yaml';
    const written = await client.call('PATCH', this.#path(name), { query, body, contentType }, signal);
    const { data } = uidSchema.safeParse(written);
    if (data !== undefined) this.#uids.set(name, data.metadata.uid);
  }

  /** Removes an object of this relay, but not another object that has taken its name since. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    const object = this.#find(name);
    if (object === undefined) return;
    const { uid, resourceVersion } = object;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    try {
      await this.#options.client.call('DELETE', this.#path(name), { body }, signal);
    } catch (error) {
      // Removed already: by Kubernetes with its owner, or by someone else.
      if (!(error instanceof ApiFailure && error.status === 404)) throw error;
    }
  }

  #find(name: string): Published | undefined {
    return this.#reflector.objects.get(`${this.#options.namespace}/${name}`);
  }

  #path(name: string): string {
    return objectPath(this.#resource, { namespace: this.#options.namespace, name });
  }
}

function readPublished(json: unknown): Published {
  const {
    metadata,
    status: _status,
    apiVersion: _version,
    kind: _kind,
    ...content
  } = required(objectSchema, json, 'an object of Kubernetes');
  const { name, namespace, resourceVersion, uid, labels, annotations, ownerReferences } = metadata;
  return {
    name,
    namespace,
    resourceVersion,
    uid,
    app: labels?.[APP_LABEL],
    owner: ownerReferences?.find(({ kind }) => kind === MARATHON_APPS.kind)?.uid,
    fingerprint: fingerprint(labels ?? {}, annotations ?? {}, content),
    members: membersIn(content.endpoints),
  };
}

const uidSchema = z.object({ metadata: z.object({ uid: z.string() }) });

const fingerprints = new WeakMap<RelayedObject, string>();

function fingerprintOf(object: RelayedObject): string {
  const text = fingerprints.get(object) ?? fingerprint(object.labels, object.annotations, object.content);
  fingerprints.set(object, text);
  return text;
}

function fingerprint(labels: object, annotations: object, content: object): string {
  const ours = Object.entries({ ...labels, ...annotations }).filter(([key]) => OWN_KEYS.includes(key));
  return canonicalJson({ ...content, metadata: Object.fromEntries(ours) });
}

/** JSON with sorted keys, since the server returns them in another order than they were sent. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Creates the kinds that a relay publishes: MarathonApps, and the EndpointSlices that they own. */
export function publishedKinds(options: PublishedOptions) {
  const apps = new PublishedKind(MARATHON_APPS, options);
  return { apps, slices: new PublishedKind(ENDPOINT_SLICES, options, apps) };
}
