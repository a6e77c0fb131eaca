import { isRecord } from '../../input/rejection.ts';

/** The kind of an item. A group and a wrapped app contain further items. */
export type Shape = 'app' | 'pod' | 'pod status' | 'group' | 'wrapped app';

/** An app or a pod in a document, or a value that may contain some. */
export interface Item {
  readonly json: unknown;
  /** Path in the document. */
  readonly at: string;
  /** Id of the enclosing group; ids in a group's definition may be relative to it. */
  readonly base: string;
  readonly shape: Shape | null;
  /** Why only its id was parsed. */
  readonly refused?: string | undefined;
}

/** Fields that only an app's definition has; one of them is enough to recognize it. */
const APP_FIELDS =
  'cmd args instances cpus mem container fetch uris portDefinitions ports networks ipAddress healthChecks constraints'.split(
    ' ',
  );

/** The shape of a JSON value, judged by its fields; null when it is none that this program reads. */
export function shapeOf(json: unknown): Shape | null {
  if (!isRecord(json)) return null;
  if (isRecord(json['app'])) return 'wrapped app';
  if (['apps', 'groups', 'pods'].some((field) => Array.isArray(json[field]))) return 'group';
  return ownShape(json);
}

/** The shape of an app or a pod by its own fields; null when it has none of these. */
function ownShape(json: Readonly<Record<string, unknown>>): 'app' | 'pod' | 'pod status' | null {
  if (isPodStatus(json)) return 'pod status';
  if (Array.isArray(json['containers'])) return 'pod';
  return APP_FIELDS.some((field) => field in json) ? 'app' : null;
}

/**
 * Whether this is the status of a pod, even one whose spec cannot be read. A Kubernetes object has a `spec` as well.
 */
function isPodStatus(json: Readonly<Record<string, unknown>>): boolean {
  if (isRecord(json['spec'])) return 'id' in json || 'instances' in json;
  return 'spec' in json && Array.isArray(json['instances']);
}

/**
 * The app or pod whose fields a group has; null when it has none. Only its id is to be parsed, so that its last good
 * state stays: otherwise it would look deleted, and which of the two was meant is unknown.
 */
export function strayIn({ json, at, base, shape }: Item): Item | null {
  if (shape !== 'group' || !isRecord(json)) return null;
  const isWrapped = isRecord(json['app']);
  const own = isWrapped ? 'app' : ownShape(json);
  if (own === null) return null;
  const place = at === '' ? 'the document' : at;
  const [what, list] = own === 'app' ? ['an app', 'apps'] : ['a pod', 'pods'];
  const refused = `${place} should be a group, judging by its place or its lists, but has fields of ${what}; move them to an element of ${list}`;
  if (!isWrapped) return { json, at, base, shape: own, refused };
  return { json: json['app'], at: at === '' ? 'app' : `${at}.app`, base, shape: own, refused };
}
