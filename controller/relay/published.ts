import { z } from 'zod';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Versioned } from '../kubernetes/listing.ts';
import { Reflector } from '../kubernetes/reflector.ts';
import {
  APP_LABEL,
  LOCAL_ANNOTATION,
  PORTS_LABEL,
  RELAY_LABEL,
  RELAY_MANAGER,
  STANDINGS_ANNOTATION,
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
  /** All that we own of it, as text to be compared. */
  readonly fingerprint: string;
  readonly uid: string;
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
  'endpointslice.kubernetes.io/managed-by',
  STANDINGS_ANNOTATION,
  LOCAL_ANNOTATION,
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
  inStep = false;

  constructor(resource: Resource, options: PublishedOptions) {
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
        changed,
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

  /** Names of what is there and not in `wanted`, without what belongs to the apps of `keep`. */
  surplus(wanted: ReadonlySet<string>, keep: ReadonlySet<string> = NOTHING): readonly string[] {
    return [...this.#reflector.objects.values()]
      .filter(({ name, app }) => !wanted.has(name) && !(app !== undefined && keep.has(app)))
      .map(({ name }) => name);
  }

  /** Whether the server has the object as it should be. */
  has(object: RelayedObject): boolean {
    return this.#find(object.name)?.fingerprint === fingerprintOf(object);
  }

  async apply({ name, labels, annotations, content }: RelayedObject, signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    const metadata = { name, namespace, labels, annotations };
    const body = { apiVersion: apiVersion(this.#resource), kind: this.#resource.kind, metadata, ...content };
    const query = { fieldManager: RELAY_MANAGER, force: true };
    const contentType = 'application/apply-patch+yaml';
    await client.call('PATCH', this.#path(name), { query, body, contentType }, signal);
  }

  /** Removes an object that bears our label, and no other one that may have taken its name. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    const object = this.#find(name);
    if (object === undefined) return;
    const { uid, resourceVersion } = object;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    await this.#options.client.call('DELETE', this.#path(name), { body }, signal);
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
  } = objectSchema.parse(json);
  const { name, namespace, resourceVersion, uid, labels, annotations } = metadata;
  return {
    name,
    namespace,
    resourceVersion,
    uid,
    app: labels?.[APP_LABEL],
    fingerprint: fingerprint(labels ?? {}, annotations ?? {}, content),
    members: (content.endpoints ?? []).map(
      ({ addresses, targetRef }) => `${targetRef?.name} ${addresses[0]}`,
    ),
  };
}

const NOTHING: ReadonlySet<string> = new Set();
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
  return {
    apps: new PublishedKind(MARATHON_APPS, options),
    slices: new PublishedKind(ENDPOINT_SLICES, options),
  };
}
