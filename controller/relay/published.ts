import { z } from 'zod';
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
import type { Clock } from '../ports.ts';
import { required } from '../schema-messages.ts';
import { membersIn, type OldSlice } from './refusals.ts';
import type { RelayedObject } from './relayed-app.ts';

export interface PublishedOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly namespace: string;
  /** Value of the label that our objects bear. */
  readonly relay: string;
  /** Something changed, or is in step now. Must not throw. */
  readonly changed: () => void;
  readonly failed: (error: Error) => void;
}

/** An object of ours as the API server has it. */
interface Published extends Versioned {
  /** All that we own of it, as text to be compared, without its owner. */
  readonly fingerprint: string;
  readonly uid: string;
  /** Uid of the MarathonApp with which Kubernetes removes it; undefined where it has no owner. */
  readonly owner: string | undefined;
  /** Of an EndpointSlice: the MarathonApp that it belongs to. */
  readonly app: string | undefined;
  /** Of an EndpointSlice: `task address` of each endpoint. */
  readonly members: readonly string[];
}

/** Labels and annotations that are ours; others may add their own. */
const OURS = [
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

/** What a relay has published of one kind, kept in step with the API server, and the ways to change it. */
export class PublishedKind {
  readonly #options: PublishedOptions;
  readonly #resource: Resource;
  readonly #reflector: Reflector<Published>;
  readonly #owners: PublishedKind | null;
  /** Of objects that were applied, until the watch tells of them. */
  readonly #uids = new Map<string, string>();
  inStep = false;

  /** `owners`: the MarathonApps, with which Kubernetes removes what belongs to them. */
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

  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal);
  }

  /** Who is in a slice now; undefined: there is none of this name. */
  membersOf(name: string): readonly string[] | undefined {
    return this.#find(name)?.members;
  }

  /** How many there are. */
  get size(): number {
    return this.#reflector.objects.size;
  }

  /** Whether there is one of this name. */
  includes(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** Names of what is there and not in `wanted`, without what `keeps` says is to stay. */
  surplus(
    wanted: ReadonlySet<string>,
    keeps: (object: OldSlice) => boolean = () => false,
  ): readonly string[] {
    return [...this.#reflector.objects.values()]
      .filter((object) => !wanted.has(object.name) && !keeps(object))
      .map(({ name }) => name);
  }

  /** Whether the server has the object as it should be. */
  has(object: RelayedObject): boolean {
    const found = this.#find(object.name);
    return found?.fingerprint === fingerprintOf(object) && found.owner === this.#ownerOf(object);
  }

  /** undefined: there is none of this name. */
  #uidOf(name: string): string | undefined {
    return this.#uids.get(name) ?? this.#find(name)?.uid;
  }

  #ownerOf({ labels }: Pick<RelayedObject, 'labels'>): string | undefined {
    return this.#owners === null ? undefined : this.#owners.#uidOf(labels[APP_LABEL] ?? '');
  }

  async apply(object: RelayedObject, signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    const { name, labels, annotations, content } = object;
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

  /** Removes an object that bears our label, and no other one that may have taken its name. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    const object = this.#find(name);
    if (object === undefined) return;
    const { uid, resourceVersion } = object;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    try {
      await this.#options.client.call('DELETE', this.#path(name), { body }, signal);
    } catch (error) {
      // Kubernetes has removed it with its owner, or someone else has.
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
  const ours = Object.entries({ ...labels, ...annotations }).filter(([key]) => OURS.includes(key));
  return inOneOrder({ ...content, metadata: Object.fromEntries(ours) });
}

/** JSON with the fields of objects sorted; what the server keeps has another order than what was sent. */
function inOneOrder(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function publishedKinds(options: PublishedOptions) {
  const apps = new PublishedKind(MARATHON_APPS, options);
  return { apps, slices: new PublishedKind(ENDPOINT_SLICES, options, apps) };
}
