import type { z } from 'zod';
import { BOUNDS } from '../../input/bounds.ts';
import type { MarathonPodStatus, Unread, UnreadableTask } from '../../input/marathon-json.ts';
import { isRecord, issueRejection, valueAt } from '../../input/rejection.ts';
import { pathText } from '../../input/schema-messages.ts';
import type { App, Rejection } from '../../model/app.ts';
import { isVipLabel, OPTION_KEYS } from '../../settings/label-keys.ts';
import { type Cuts, type Issue, type Path, readLeniently } from '../json/lenient.ts';
import { scopeOf } from './error-scope.ts';
import { stateOf } from './states.ts';
import { isTaskLabel } from './task-labels.ts';

/** The fields that apps and pods share. */
export type CheckedItem = Pick<MarathonPodStatus, 'id' | 'foundLabels' | 'oddities' | 'unread'>;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the invalid JSON of one app or pod; `id` is its absolute id. A wrong value affects only what depends on it, which
 * is listed in `unread`.
 */
export function readPartially<Item extends CheckedItem>(
  schema: z.ZodType<Item>,
  json: Json,
  kind: App['kind'],
  id: string,
): Item {
  const lost = new Lost(json, kind, id);
  const item = readLeniently(schema, json, (issues, cuts) => {
    for (const issue of issues) lost.take(issue, cuts);
  });
  if (item === null) return unreadable(schema, { app: id, at: '', value: '', reason: 'cannot be read' });
  lost.restoreLabels(item);
  return Object.assign(item, { id, unread: lost.unread });
}

/** An app or pod of which only the id can be read, with the reason. */
export function unreadable<Item extends CheckedItem>(schema: z.ZodType<Item>, definition: Rejection): Item {
  const none = { ports: new Map(), places: new Map(), health: new Set<string>() };
  const unread: Unread = { definition, tasks: [], taskList: true, ...none, rejected: [] };
  return Object.assign(schema.parse({ id: definition.app, spec: {} }), { unread });
}

interface LostPlaces {
  ports: 'all' | Set<number | string>;
  addresses: boolean;
}

/** The scopes that affect only where ports of one task are reached. */
type PlaceScope = 'host port' | 'host ports' | 'addresses';

/** What an unreadable place means for the ports of a task, for the message. */
const EFFECTS: Readonly<Record<PlaceScope, (task: string) => string>> = {
  'host port': (task) => `this port of task ${task} keeps its last known port number, if any`,
  'host ports': (task) => `host ports of task ${task} keep their last known port numbers, if any`,
  addresses: (task) => `ports at the addresses of task ${task} keep their last known addresses, if any`,
};

/** Cuts wrong values out of an app or pod, with everything that depends on them, and records what was lost. */
class Lost {
  readonly #kind: App['kind'];
  readonly #id: string;
  readonly #json: Json;
  /** The field that lists its tasks or instances. */
  readonly #list: 'tasks' | 'instances';
  /** By index in the list. */
  readonly #tasks = new Map<number, UnreadableTask>();
  readonly #ports = new Map<string, 'declaration' | 'port'>();
  readonly #places = new Map<string, LostPlaces>();
  readonly #health = new Set<string>();
  readonly #rejected = new Map<string, Rejection>();
  /** Paths of the `labels` objects that were already handled. */
  readonly #labels = new Set<string>();
  /**
   * Labels that are too long. They are put back later: the reader of labels then rejects them by name and keeps the
   * VIP.
   */
  readonly #longLabels: { readonly path: Path; readonly text: string }[] = [];
  #taskList = false;
  #definition: Rejection | null = null;

  /** `id` is absolute. */
  constructor(json: Json, kind: App['kind'], id: string) {
    this.#kind = kind;
    this.#id = id;
    this.#json = json;
    this.#list = kind === 'app' ? 'tasks' : 'instances';
  }

  get unread(): Unread {
    // Without a list, the known tasks stay.
    const isWithoutList = this.#definition !== null && !(this.#list in this.#json);
    return {
      definition: this.#definition,
      tasks: [...this.#tasks.values()],
      taskList: this.#taskList || isWithoutList,
      ports: this.#ports,
      places: this.#places,
      health: this.#health,
      rejected: [...this.#rejected.values()],
    };
  }

  /** Puts back the labels that are too long, cut to one character over the limit, so that they are still rejected. */
  restoreLabels(item: object): void {
    for (const { path, text } of this.#longLabels) {
      const labels = valueAt(item, path.slice(0, -1));
      const key = path.at(-1);
      if (isRecord(labels) && typeof key === 'string') define(labels, key, text);
    }
  }

  take(issue: Issue, cuts: Cuts): void {
    const { path } = issue;
    const { scope, steps } = scopeOf(this.#kind, path, valueAt(this.#json, path.slice(0, 2)));
    const target = path.slice(0, steps);
    switch (scope) {
      case 'member':
        this.#loseMember(issue, cuts);
        return;
      case 'definition':
        this.#loseDefinition(issue, cuts);
        return;
      case 'labels':
        this.#loseLabels(target, issue, cuts);
        return;
      case 'declaration':
      case 'port':
        this.#losePort(scope, target, issue, cuts);
        return;
      case 'host port':
      case 'host ports':
      case 'addresses':
        this.#losePlaces(scope, target, issue, cuts);
        return;
      case 'checks':
        if (issue.path.length > target.length) {
          this.#reject(issue, 'it still counts as a health check');
          cuts.add(issue.path, { value: {} });
          return;
        }
        this.#reject(issue);
        // If a task has health results, the app has a health check.
        cuts.add(target, this.#members.some(hasResults) ? { value: [null] } : null);
        return;
      case 'health':
        this.#health.add(taskAt(this.#json, target));
        break;
      case 'members':
        this.#taskList = true;
        break;
      default:
    }
    this.#reject(issue);
    // Elements of a list of ports are replaced, since their number matters.
    cuts.add(target, typeof target.at(-1) === 'number' ? { value: 0 } : null);
  }

  #losePort(scope: 'declaration' | 'port', target: Path, issue: Issue, cuts: Cuts): void {
    this.#reject(issue);
    const at = portAt(target);
    if (this.#ports.get(at) !== 'port') this.#ports.set(at, scope);
    const field = issue.path[target.length];
    // A port with an invalid host port still uses up one of the task's allocated ports.
    if (field === undefined) cuts.add(target, { value: {} });
    else cuts.add([...target, field], field === 'hostPort' ? { value: 0 } : null);
  }

  /** Keeps the task, without the places that depend on this value. */
  #losePlaces(scope: PlaceScope, target: Path, issue: Issue, cuts: Cuts): void {
    const [, member] = target;
    if (typeof member !== 'number' || this.#tasks.has(member)) return;
    const ofPod = this.#kind === 'pod';
    const task = taskAt(this.#json, ofPod ? target.slice(0, 5) : target.slice(0, 3));
    const lost = this.#places.get(task) ?? { ports: new Set<number | string>(), addresses: false };
    this.#places.set(task, lost);
    const hostPort = ofPod ? endpointName(this.#json, target) : Number(target[3]);
    if (scope === 'addresses') lost.addresses = true;
    else if (scope === 'host ports' || hostPort === null) lost.ports = 'all';
    else if (lost.ports !== 'all') lost.ports.add(hostPort);
    this.#reject(issue, EFFECTS[scope](task));
    // The elements of an app's lists keep their indexes.
    if (ofPod || scope === 'host ports') cuts.add(target);
    else if (scope === 'host port') cuts.add(target, { value: 0 });
    else if (issue.path.length === target.length) cuts.add(target);
    else cuts.add(issue.path.slice(0, target.length + 1), { value: null });
  }

  #loseMember(issue: Issue, cuts: Cuts): void {
    const [, index] = issue.path;
    if (typeof index !== 'number' || this.#tasks.has(index)) return;
    const member = this.#members[index];
    const id =
      isRecord(member) && typeof member['id'] === 'string' ? member['id'].slice(0, BOUNDS.nameLength) : '';
    const state = this.#kind === 'app' && isRecord(member) ? member['state'] : null;
    this.#tasks.set(index, {
      id: id || null,
      state: typeof state === 'string' && state !== '' ? stateOf(state) : null,
      rejection: issueRejection(this.#id, this.#json, issue),
    });
    cuts.add([this.#list, index]);
  }

  /** Drops the definition. The tasks stay, with their own errors. */
  #loseDefinition(issue: Issue, cuts: Cuts): void {
    this.#definition ??= issueRejection(this.#id, this.#json, issue);
    for (const field of Object.keys(this.#json))
      if (field !== 'id' && field !== this.#list) cuts.add([field], field === 'spec' ? { value: {} } : null);
  }

  /** Keeps only the readable labels of a `labels` object. */
  #loseLabels(target: Path, issue: Issue, cuts: Cuts): void {
    if (this.#labels.has(pathText(target))) return;
    this.#labels.add(pathText(target));
    const labels = valueAt(this.#json, target);
    const left = isRecord(labels) ? this.#readableLabels(labels, target, issue) : null;
    cuts.add(target, left && { value: left });
    if (left !== null) return;
    this.#reject(issue);
    if (target.length > 1) this.#ports.set(portAt(target.slice(0, -1)), 'declaration');
  }

  /** Returns null when there are too many. */
  #readableLabels(labels: Json, target: Path, issue: Issue): Json | null {
    const ofApp = target.length === 1;
    const isOurs = (key: string) => (ofApp ? isTaskLabel(key) : isVipLabel(key) || OPTION_KEYS.includes(key));
    const left: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(labels).filter(([key]) => isOurs(key))) {
      const isLong = typeof value === 'string' && value.length > BOUNDS.labelLength;
      if (key.length > BOUNDS.nameLength)
        this.#reject({ ...issue, message: `expected keys of at most ${BOUNDS.nameLength} characters` });
      else if (!isLong) define(left, key, value);
      else if (ofApp) this.#reject({ ...issue, path: [...target, key] });
      else this.#longLabels.push({ path: [...target, key], text: value.slice(0, BOUNDS.labelLength + 1) });
    }
    return Object.keys(left).length > BOUNDS.labels ? null : left;
  }

  /** `effect`: what happens to the part that could not be read, for the message. */
  #reject(issue: Issue, effect?: string): void {
    const { reason, ...rest } = issueRejection(this.#id, this.#json, issue);
    if (this.#rejected.has(rest.at)) return;
    this.#rejected.set(rest.at, { ...rest, reason: effect === undefined ? reason : `${reason}: ${effect}` });
  }

  get #members(): readonly unknown[] {
    const members = this.#json[this.#list];
    return Array.isArray(members) ? members : [];
  }
}

/** The id of the task with this health result or container condition. */
function taskAt(json: Json, target: Path): string {
  const task = valueAt(json, target.slice(0, 2));
  const id = isRecord(task) ? task['id'] : null;
  const container = valueAt(json, target.slice(0, 4));
  if (target.length < 5 || !isRecord(container)) return String(id).slice(0, BOUNDS.nameLength);
  return String(container['containerId'] || `${id}.${container['name']}`).slice(0, BOUNDS.nameLength);
}

/** The name of a pod's endpoint at this path of its status; null if it cannot be read. */
function endpointName(json: Json, target: Path): string | null {
  const endpoint = valueAt(json, target.slice(0, 6));
  return isRecord(endpoint) && typeof endpoint['name'] === 'string' ? endpoint['name'] : null;
}

/** The path of a port in the definition; in a pod's status the definition is under `spec`. */
function portAt(target: Path): string {
  return pathText(target[0] === 'spec' ? target.slice(1) : target);
}

function hasResults(task: unknown): boolean {
  const results = isRecord(task) ? task['healthCheckResults'] : null;
  return Array.isArray(results) && results.length > 0;
}

/** Not by assignment: a label may be named `__proto__`. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}
