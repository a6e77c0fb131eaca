import type { Kind } from './kinds.ts';
import { isObject, type KubeObject } from './types.ts';

/** What clients such as kubectl ask first: which kinds there are. null: the path is none of these. */
export function discover(path: string, kinds: readonly Kind[]): object | null {
  if (path === '/version')
    return { major: '1', minor: '34', gitVersion: 'v1.34.0-stand-in', platform: 'linux/amd64' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = [...new Set(kinds.map(({ group }) => group))].filter((group) => group !== '');
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupOf(group, kinds)) };
  }
  const [, group, version] = /^\/(?:apis\/([^/]+)|api)\/([^/]+)$/.exec(path) ?? [];
  if (version === undefined) return null;
  const served = kinds.filter((kind) => kind.group === (group ?? '') && kind.version === version);
  if (served.length === 0) return null;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === undefined ? version : `${group}/${version}`,
    resources: served.flatMap(resourcesOf),
  };
}

function groupOf(group: string, kinds: readonly Kind[]): object {
  const versions = [...new Set(kinds.filter((kind) => kind.group === group).map(({ version }) => version))];
  const listed = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: listed, preferredVersion: listed[0] };
}

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

function resourcesOf({ plural, kind, namespaced, status }: Kind): object[] {
  const resource = { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: VERBS };
  return status
    ? [resource, { ...resource, name: `${plural}/status`, verbs: ['get', 'patch', 'update'] }]
    : [resource];
}

/** The table that kubectl shows, with the kind's own columns. */
export function tableOf({ columns }: Kind, objects: readonly KubeObject[], resourceVersion: string): object {
  const shown =
    columns.length > 0
      ? columns
      : [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', priority: 0 }];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name' },
      ...shown.map(({ name, type, priority = 0 }) => ({ name, type, priority, format: '' })),
    ],
    rows: objects.map((object) => ({
      cells: [
        object.metadata.name,
        ...shown.map(({ type, jsonPath }) => cell(type, valueAt(object, jsonPath))),
      ],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

function cell(type: string, value: unknown): unknown {
  if (type !== 'date' || typeof value !== 'string') return value ?? '';
  return `${Math.round((Date.now() - Date.parse(value)) / 1_000)}s`;
}

/** Fields, and of a list the entry with a field of that value: the part of JSONPath that columns use. */
function valueAt(object: unknown, jsonPath: string): unknown {
  let value = object;
  for (const [, field, name, wanted] of jsonPath.matchAll(/\.(\w+)|\[\?\(@\.(\w+)=="([^"]*)"\)\]/g)) {
    if (field !== undefined) value = isObject(value) ? value[field] : undefined;
    else
      value = Array.isArray(value)
        ? value.find((item) => isObject(item) && item[name ?? ''] === wanted)
        : undefined;
  }
  return value;
}
