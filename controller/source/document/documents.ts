import type { z } from 'zod';
import { BOUNDS, overBound } from '../../input/bounds.ts';
import {
  appSchema,
  type MarathonApp,
  type MarathonPod,
  type MarathonPodStatus,
  podSchema,
  podStatusSchema,
} from '../../input/marathon-json.ts';
import { isRecord, shown } from '../../input/rejection.ts';
import { checked, expected } from '../../input/schema-messages.ts';
import type { Rejection } from '../../model/app.ts';
import { atOnce } from '../../pace.ts';
import { REPEATED_KEY } from '../json/repeated-keys.ts';
import { WrongType } from '../json/walk.ts';
import { type CheckedItem, readPartially, unreadable } from './partial-item.ts';
import { type Item, type Shape, shapeOf, strayIn } from './shapes.ts';
import { findOddStates } from './states.ts';
import { findLabels } from './stray-labels.ts';

/** The apps and pods of one JSON document, each read as far as possible, and the items that are neither. */
export interface Documents {
  readonly apps: readonly MarathonApp[];
  /** A pod definition without a status is a pod without instances. */
  readonly pods: readonly MarathonPodStatus[];
  /** Items that are not an app or a pod, or have no id; `app` is the name of the document. */
  readonly rejected: readonly Rejection[];
  /** Keys outside every app and pod that occur more than once; `app` is the name of the document. Only files are checked. */
  readonly repeated?: readonly Rejection[];
}

/** The shapes that `readDocuments` accepts, for messages. */
export const KNOWN_SHAPES =
  'an app, a pod (with or without its status), an array of these, {"app": …}, {"apps": […]} or a /v2/groups tree';

/**
 * Splits a document into apps and pods. Accepts every shape that Marathon returns or accepts. `where` names the
 * document in messages.
 *
 * An item of a wrong type or without an id does not affect the others. Returns null when no shape is known, and when a
 * group or a list in a tree of groups has the wrong type.
 */
export function readDocuments(json: unknown, where: string): Documents | null {
  try {
    return atOnce(collectWhole(json, where));
  } catch (error) {
    if (error instanceof WrongType) return null;
    throw error;
  }
}

/** `readDocuments` in slices. Throws a `WrongType` that says which part of a tree of groups has the wrong type. */
export function collectWhole(
  json: unknown,
  where: string,
  repeated: RepeatedKeys = new Map(),
): Generator<undefined, Documents | null> {
  return collect(
    Array.isArray(json)
      ? json.map((each, index) => ({ json: each, at: `[${index}]`, base: '/', shape: shapeOf(each) }))
      : [{ json, at: '', base: '/', shape: shapeOf(json) }],
    where,
    repeated,
  );
}

/** The last values of repeated keys, by path in the document. */
type RepeatedKeys = ReadonlyMap<string, string>;

/**
 * Checks the items one by one, in slices, so that the JSON of each can be freed. Returns null when there are items and
 * none has a known shape.
 */
export function* collect(
  items: Iterable<Item | null>,
  where: string,
  repeated: RepeatedKeys = new Map(),
): Generator<undefined, Documents | null> {
  const found: Found = { apps: [], pods: [], rejected: [], repeated: new Map(repeated) };
  const members: Item[] = [];
  let unknown = false;
  let known = false;
  for (const item of items) {
    yield;
    if (item === null) continue;
    unknown ||= item.shape === null;
    known ||= item.shape !== null;
    for (const member of take(item, where, found)) members.push(member);
  }
  // Grows during iteration: a group appends its members.
  for (const item of members) {
    for (const member of take(item, where, found)) members.push(member);
    yield;
  }
  const more = found.rejected.length - BOUNDS.rejections;
  if (more > 0) {
    found.rejected.length = BOUNDS.rejections;
    const reason = `and ${more} more items that are not apps or pods`;
    found.rejected.push({ app: where, at: '', value: '', reason });
  }
  return unknown && !known ? null : { ...found, repeated: repeatedOutside(found.repeated, where) };
}

/** Throws a `WrongType` for a repeated list of a group: the apps in the first one would otherwise look deleted. */
function repeatedOutside(repeated: RepeatedKeys, where: string): readonly Rejection[] {
  return Array.from(repeated, ([at, value]) => {
    if (/(^|\.)(apps|groups|pods)$/.test(at))
      throw new WrongType(`${at}: expected one list, got more than one`);
    return { app: where, at, value, reason: REPEATED_KEY };
  });
}

/** Takes the repeated keys of the app or pod at `at` out of `repeated`; paths are those in its JSON. */
function takeRepeated(repeated: Map<string, string>, at: string, app: string): readonly Rejection[] {
  const prefix = at === '' ? '' : `${at}.`;
  const own = [...repeated].filter(([path]) => path.startsWith(prefix));
  for (const [path] of own) repeated.delete(path);
  return own.map(([path, value]) => ({ app, at: path.slice(prefix.length), value, reason: REPEATED_KEY }));
}

/** Adds an app or a pod to `found`. Returns the items inside a group or a wrapped app. */
function take(item: Item, where: string, found: Found): readonly Item[] {
  switch (item.shape) {
    case 'app':
      found.apps.push(...readItem(appSchema, item, where, found));
      return [];
    case 'pod':
      for (const spec of readItem<MarathonPod>(podSchema, item, where, found)) {
        const { id, foundLabels, oddities } = spec;
        // A definition lists no instances: if it cannot be read, the known ones stay.
        const unread = spec.unread && { ...spec.unread, taskList: spec.unread.definition !== null };
        const findings = {
          ...(foundLabels && { foundLabels }),
          ...(oddities && { oddities }),
          ...(unread && { unread }),
        };
        found.pods.push({ id, spec, instances: [], ...findings });
      }
      return [];
    case 'pod status':
      found.pods.push(...readItem(podStatusSchema, item, where, found));
      return [];
    case null: {
      const reason = isRecord(item.json)
        ? 'expected an app or a pod'
        : expected('an app or a pod', item.json);
      found.rejected.push({ app: where, at: item.at, value: shown(item.json), reason });
      return [];
    }
    default: {
      const stray = strayIn(item);
      if (stray !== null) take(stray, where, found);
      return membersOf(item);
    }
  }
}

/** A `Documents` under construction. */
interface Found {
  readonly apps: MarathonApp[];
  readonly pods: MarathonPodStatus[];
  readonly rejected: Rejection[];
  /** Those of the document that belong to none of its apps and pods so far. */
  readonly repeated: Map<string, string>;
}

/**
 * Resolves an id against the enclosing group: `web` in `/shop` is `/shop/web`, `../db` is `/db`. An id with a leading
 * slash is absolute. Repeated and trailing slashes are dropped: `//web/` is `/web`.
 */
export function absoluteId(id: string, base: string): string {
  const path: string[] = [];
  for (const name of (id.startsWith('/') ? id : `${base}/${id}`).split('/')) {
    if (name === '..') path.pop();
    else if (name !== '' && name !== '.') path.push(name);
  }
  return `/${path.join('/')}`;
}

/**
 * The items inside a wrapped app or a group. Throws a `WrongType` when a list or a group has the wrong type: its apps
 * would otherwise look deleted.
 */
function membersOf({ json, at, base, shape }: Item): Item[] {
  if (!isRecord(json)) return [];
  const path = at === '' ? '' : `${at}.`;
  if (shape === 'wrapped app') return [{ json: json['app'], at: `${path}app`, base, shape: 'app' }];

  const { id = null } = json;
  if (id !== null && typeof id !== 'string') throw WrongType.at(`${path}id`, 'text', id);
  const group = id === null ? base : absoluteId(id, base);
  const members = (field: string, shapeOfMember: (member: unknown) => Shape): Item[] => {
    const list = json[field] ?? [];
    if (!Array.isArray(list)) throw WrongType.at(path + field, 'a list', list);
    return list.map((member, index) => ({
      json: member,
      at: `${path}${field}[${index}]`,
      base: group,
      shape: shapeOfMember(member),
    }));
  };
  const groups = members('groups', () => 'group');
  const wrong = groups.find((member) => !isRecord(member.json));
  if (wrong !== undefined) throw WrongType.at(wrong.at, 'a group', wrong.json);
  return [
    ...members('apps', () => 'app'),
    ...members('pods', (pod) => (isRecord(pod) && 'spec' in pod ? 'pod status' : 'pod')),
    ...groups,
  ];
}

/**
 * Reads one app or pod and adds the labels that the schema drops. Without an id it returns nothing and puts the reason
 * in `found`.
 */
function readItem<Json extends CheckedItem>(
  schema: z.ZodType<Json>,
  { json, at, base, shape, refused }: Item,
  where: string,
  found: Found,
): readonly Json[] {
  if (!isRecord(json)) {
    found.rejected.push({ app: where, at, value: shown(json), reason: expected('an app or a pod', json) });
    return [];
  }
  const given = json['id'];
  if (typeof given !== 'string' || given === '' || given.length > BOUNDS.nameLength) {
    const isLong = typeof given === 'string' && given.length > BOUNDS.nameLength;
    const reason = isLong
      ? `expected an id of at most ${BOUNDS.nameLength} characters`
      : 'expected the id of an app or a pod';
    found.rejected.push({ app: where, at: at === '' ? 'id' : `${at}.id`, value: shown(given), reason });
    return [];
  }
  const id = absoluteId(given, base);
  const over = refused ? { at: '', reason: refused } : overBound(json);
  if (over !== null) return [unreadable(schema, { app: id, value: '', ...over })];
  const { data } = checked(schema, json);
  const item = data ?? readPartially(schema, json, shape === 'app' ? 'app' : 'pod', id);
  // A pod's status contains its definition; paths are those in the definition.
  const { spec, instances } = json;
  const labels = findLabels(isRecord(spec) ? { ...spec, instances } : json);
  const oddities = [...findOddStates(json, id), ...takeRepeated(found.repeated, at, id)];
  return [
    Object.assign(item, { id }, labels && { foundLabels: labels }, oddities.length > 0 && { oddities }),
  ];
}
