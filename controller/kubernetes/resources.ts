/** The kinds that this program reads and writes, and their paths in the Kubernetes API. */

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** In the path: `marathonapps`. */
  readonly plural: string;
}

export const MARATHON_APPS = {
  group: 'marathon-ipvs.io',
  version: 'v1alpha1',
  kind: 'MarathonApp',
  plural: 'marathonapps',
} as const satisfies Resource;

export const ENDPOINT_SLICES = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
} as const satisfies Resource;

export const LEASES = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
} as const satisfies Resource;

export const EVENTS = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
} as const satisfies Resource;

/** `marathon-ipvs.io/v1alpha1`, `v1`. */
export function apiVersion({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The path of all objects of a kind, in one namespace if given. */
export function collectionPath(resource: Resource, namespace: string | null): string {
  const root = resource.group === '' ? '/api' : '/apis';
  const scope = namespace === null ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${apiVersion(resource)}${scope}/${resource.plural}`;
}

/** The path of one object. */
export function objectPath(resource: Resource, { namespace, name }: ObjectName): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`: unique among the objects of a kind. */
export function objectKey({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}
