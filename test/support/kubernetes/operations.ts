import { randomUUID } from 'node:crypto';
import { same } from '../../../controller/compare.ts';
import { builtinKinds, customKinds, type Kind } from './kinds.ts';
import { checkMetadata } from './object-rules.ts';
import { applied, now, updated, type Writer } from './ownership.ts';
import { Storage } from './storage.ts';
import { isObject, type JsonObject, type KubeObject, StatusError } from './types.ts';

export interface Place {
  readonly kind: Kind;
  readonly namespace: string | null;
  readonly name: string;
}

export function storageName({ group, plural }: Pick<Kind, 'group' | 'plural'>): string {
  return `${group}/${plural}`;
}

/** What the server does with objects: the verbs, for whatever kind. */
export class Operations {
  readonly storage = new Storage();
  readonly #kinds: Kind[] = builtinKinds();
  readonly #initialisingMs: number;

  /** `initialisingMs`: for how long the storage of a kind answers 429 after its CRD was made. */
  constructor(initialisingMs: number) {
    this.#initialisingMs = initialisingMs;
    for (const name of ['default', 'kube-system']) {
      this.storage.write(
        '/namespaces',
        `/${name}`,
        this.#fresh({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
      );
    }
  }

  get kinds(): readonly Kind[] {
    return this.#kinds;
  }

  findKind(group: string, version: string, plural: string): Kind | null {
    const same = (kind: Kind) => kind.group === group && kind.version === version && kind.plural === plural;
    return this.#kinds.find(same) ?? null;
  }

  exists(place: Place): boolean {
    return this.storage.get(storageName(place.kind), keyOf(place)) !== null;
  }

  get(place: Place): KubeObject {
    const object = this.storage.get(storageName(place.kind), keyOf(place));
    if (object === null) throw notFound(place.kind, place.name);
    return object;
  }

  create(kind: Kind, namespace: string | null, body: unknown, writer: Writer): KubeObject {
    const object = this.#incoming(kind, namespace, body);
    if (object.metadata.name === undefined && typeof object.metadata['generateName'] === 'string') {
      object.metadata.name = object.metadata['generateName'] + randomUUID().slice(0, 5);
    }
    const place = { kind, namespace, name: object.metadata.name };
    if (this.storage.get(storageName(kind), keyOf(place)) !== null) {
      throw new StatusError(409, 'AlreadyExists', `${kind.plural} "${place.name}" already exists`);
    }
    if (object.metadata.resourceVersion) {
      throw new StatusError(400, 'BadRequest', 'resourceVersion should not be set on objects to be created');
    }
    if (kind.status) delete object['status'];
    return this.#store(place, null, updated(null, this.#fresh(object), kind, writer));
  }

  update(place: Place, body: unknown, writer: Writer): KubeObject {
    const live = this.get(place);
    const object = this.#incoming(place.kind, place.namespace, body);
    this.#sameVersion(place, live, object);
    const next = this.#onlyItsPart(place.kind, live, object, writer.subresource);
    return this.#store(place, live, updated(live, next, place.kind, writer));
  }

  mergePatch(place: Place, body: unknown, writer: Writer): KubeObject {
    const live = this.get(place);
    const merged = merge(structuredClone(live) as unknown as JsonObject, body) as unknown as KubeObject;
    this.#sameVersion(place, live, merged);
    const next = this.#onlyItsPart(place.kind, live, merged, writer.subresource);
    return this.#store(place, live, updated(live, next, place.kind, writer));
  }

  apply(place: Place, body: unknown, writer: Writer): { object: KubeObject; created: boolean } {
    const config = this.#incoming(place.kind, place.namespace, body);
    if (config.metadata.managedFields !== undefined) {
      throw new StatusError(400, 'BadRequest', 'metadata.managedFields must be nil');
    }
    config.metadata.name ??= place.name;
    const live = this.storage.get(storageName(place.kind), keyOf(place));
    if (live === null && writer.subresource !== undefined) throw notFound(place.kind, place.name);
    if (live !== null) this.#sameVersion(place, live, config);
    const { kind } = place;
    if (kind.status) {
      if (writer.subresource === undefined) delete config['status'];
      else for (const field of Object.keys(config)) if (!STATUS_FIELDS.has(field)) delete config[field];
    }
    const { resourceVersion: _version, uid: _uid, ...metadata } = config.metadata;
    const { apiVersion, kind: kindName } = config;
    const base =
      live ??
      this.#fresh({
        apiVersion,
        kind: kindName,
        metadata: { name: place.name, ...(place.namespace !== null && { namespace: place.namespace }) },
      });
    const next = applied(base, { ...config, metadata } as KubeObject, kind, writer);
    return { object: this.#store(place, live, next), created: live === null };
  }

  delete(place: Place, body: unknown): KubeObject {
    const live = this.get(place);
    const { preconditions } = isObject(body) ? body : {};
    if (isObject(preconditions)) {
      const { uid, resourceVersion } = preconditions;
      const other =
        (uid ?? live.metadata.uid) !== live.metadata.uid ||
        (resourceVersion ?? live.metadata.resourceVersion) !== live.metadata.resourceVersion;
      if (other) throw conflict(place, 'the preconditions do not hold');
    }
    this.storage.write(storageName(place.kind), keyOf(place), null);
    this.#collect(live);
    if (place.kind.plural === 'namespaces') this.#emptyNamespace(place.name);
    return live;
  }

  /** What the garbage collector does, which takes a while on a real server: what belongs to the object goes with it. */
  #collect({ metadata: { uid, namespace } }: KubeObject): void {
    for (const kind of this.#kinds.filter(({ namespaced }) => namespaced)) {
      for (const { metadata } of this.storage.all(storageName(kind))) {
        const owners = metadata['ownerReferences'];
        const owned =
          Array.isArray(owners) && owners.some((owner) => isObject(owner) && owner['uid'] === uid);
        if (owned && metadata.namespace === namespace)
          this.storage.write(storageName(kind), `${namespace}/${metadata.name}`, null);
      }
    }
  }

  #emptyNamespace(namespace: string): void {
    for (const kind of this.#kinds.filter(({ namespaced }) => namespaced)) {
      for (const { metadata } of this.storage.all(storageName(kind))) {
        if (metadata.namespace === namespace)
          this.storage.write(storageName(kind), `${namespace}/${metadata.name}`, null);
      }
    }
  }

  #incoming(kind: Kind, namespace: string | null, body: unknown): KubeObject {
    if (!isObject(body) || !isObject(body['metadata'])) throw new StatusError(400, 'BadRequest', 'no object');
    const object = structuredClone(body) as unknown as KubeObject;
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    object.apiVersion ??= apiVersion;
    object.kind ??= kind.kind;
    if (object.apiVersion !== apiVersion || object.kind !== kind.kind) {
      throw new StatusError(
        400,
        'BadRequest',
        `expected ${apiVersion} ${kind.kind}, not ${object.apiVersion} ${object.kind}`,
      );
    }
    if (namespace !== null) {
      if ((object.metadata.namespace ?? namespace) !== namespace) {
        throw new StatusError(
          400,
          'BadRequest',
          'the namespace of the object does not match the one of the request',
        );
      }
      object.metadata.namespace = namespace;
      if (this.storage.get('/namespaces', `/${namespace}`) === null) {
        throw new StatusError(404, 'NotFound', `namespaces "${namespace}" not found`);
      }
    }
    return object;
  }

  #sameVersion(place: Place, live: KubeObject, object: KubeObject): void {
    const { resourceVersion, uid } = object.metadata;
    if (
      (resourceVersion ?? live.metadata.resourceVersion) !== live.metadata.resourceVersion ||
      (uid ?? live.metadata.uid) !== live.metadata.uid
    ) {
      throw conflict(
        place,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    }
  }

  /** An update of the status changes nothing else, and any other one no status. */
  #onlyItsPart(
    kind: Kind,
    live: KubeObject,
    object: KubeObject,
    subresource: string | undefined,
  ): KubeObject {
    if (!kind.status) return object;
    const { status: was, ...liveRest } = structuredClone(live);
    const { status, ...rest } = object;
    if (subresource === 'status')
      return { ...liveRest, ...(status !== undefined && { status }) } as KubeObject;
    return { ...rest, ...(was !== undefined && { status: was }) } as KubeObject;
  }

  #store(place: Place, live: KubeObject | null, given: KubeObject): KubeObject {
    const { kind } = place;
    const object = inOrder(given) as KubeObject;
    if (live !== null) {
      const { uid, creationTimestamp, generation, resourceVersion } = live.metadata;
      Object.assign(object.metadata, {
        uid,
        creationTimestamp,
        resourceVersion,
        ...(generation && { generation }),
      });
    }
    checkMetadata(kind, object);
    kind.admit(object, live);
    if (live !== null && same(live, object)) return live;
    if (kind.status) {
      const specs = [live?.['spec'], object['spec']];
      object.metadata.generation = (live?.metadata.generation ?? 0) + (same(specs[0], specs[1]) ? 0 : 1);
    }
    for (const entry of object.metadata.managedFields ?? []) {
      const before = live?.metadata.managedFields?.find((one) =>
        same({ ...one, time: '' }, { ...entry, time: '' }),
      );
      if (before === undefined) entry.time = now();
    }
    this.storage.write(storageName(kind), keyOf(place), object);
    if (kind.plural === 'customresourcedefinitions') this.#define(object);
    return object;
  }

  #define(definition: KubeObject): void {
    for (const kind of customKinds(definition, Date.now() + this.#initialisingMs)) {
      const at = this.#kinds.findIndex(
        ({ group, version, plural }) =>
          group === kind.group && version === kind.version && plural === kind.plural,
      );
      const old = this.#kinds[at];
      if (old === undefined) this.#kinds.push(kind);
      else this.#kinds[at] = { ...kind, readyAt: old.readyAt };
    }
  }

  #fresh(object: { apiVersion: string; kind: string; metadata: object }): KubeObject {
    const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: now(), resourceVersion: '' };
    return { ...object, metadata } as unknown as KubeObject;
  }
}

/** With the keys of each object sorted, as Go writes its maps. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, inOrder(each)]));
}

const STATUS_FIELDS = new Set(['apiVersion', 'kind', 'metadata', 'status']);

function keyOf({ namespace, name }: Omit<Place, 'kind'>): string {
  return `${namespace ?? ''}/${name}`;
}

function notFound({ group, plural, kind }: Kind, name: string): StatusError {
  const full = group === '' ? plural : `${plural}.${group}`;
  return new StatusError(404, 'NotFound', `${full} "${name}" not found`, { name, group, kind });
}

function conflict({ kind, name }: Place, why: string): StatusError {
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${kind.plural} "${name}": ${why}`,
    { name },
  );
}

/** RFC 7386. */
function merge(target: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) throw new StatusError(400, 'BadRequest', 'a merge patch is an object');
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key];
    else if (isObject(value))
      target[key] = merge(isObject(target[key]) ? (target[key] as JsonObject) : {}, value);
    else target[key] = value as JsonObject;
  }
  return target;
}
