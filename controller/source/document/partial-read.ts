import { BOUNDS } from '../../bounds.ts';
import { isVipLabel, OPTION_KEYS } from '../../label-keys.ts';
import type { Unread, UnreadableTask } from '../../marathon-json.ts';
import type { App, Rejection } from '../../model.ts';
import { isRecord, issueRejection } from '../../rejection.ts';
import { pathText } from '../../schema-messages.ts';
import { type ErrorScope, scopeOf } from './error-scope.ts';
import { isTaskLabel } from './task-labels.ts';

/** An issue that a schema found. */
type Issue = Parameters<typeof issueRejection>[2];
type Json = Readonly<Record<string, unknown>>;
type Path = readonly PropertyKey[];

/**
 * Takes out of the JSON of an app or pod what is wrong in it, with what depends on that and no more, and notes what that is.
 * It works on a copy: whoever gave the JSON may need it as it was.
 */
export class PartialRead {
  readonly #kind: App['kind'];
  readonly #id: string;
  readonly #given: Json;
  readonly #list: string;
  #json: Record<string, unknown>;
  /** By index in the list. */
  readonly #tasks = new Map<number, UnreadableTask>();
  readonly #ports = new Map<string, 'meaning' | 'place'>();
  readonly #health = new Set<string>();
  readonly #rejected = new Map<string, Rejection>();
  /** Labels that are too long, by path: a VIP label that is none is told where labels are read, and keeps its VIP. */
  readonly #longLabels: { readonly path: Path; readonly text: string }[] = [];
  #taskList = false;
  #definition: Rejection | null = null;

  /** `id`: the absolute one. */
  constructor(json: Json, kind: App['kind'], id: string) {
    this.#kind = kind;
    this.#id = id;
    this.#given = json;
    this.#list = kind === 'app' ? 'tasks' : 'instances';
    this.#json = structuredClone(json);
  }

  /** What is left. */
  get json(): Json {
    if (this.#tasks.size === 0) return this.#json;
    const members = membersOf(this.#json, this.#list).filter((_member, index) => !this.#tasks.has(index));
    return { ...this.#json, [this.#list]: members };
  }

  /** Why all that is declared is lost; null where it is not. */
  get definition(): Rejection | null {
    return this.#definition;
  }

  get unread(): Unread {
    return {
      tasks: [...this.#tasks.values()],
      taskList: this.#taskList,
      ports: this.#ports,
      health: this.#health,
      rejected: [...this.#rejected.values()],
    };
  }

  /** Puts labels that are too long into what was read, a little too long still. */
  restoreLabels(read: object): void {
    for (const { path, text } of this.#longLabels) {
      const labels = valueAt(read, path.slice(0, -1));
      const key = path.at(-1);
      if (isRecord(labels) && typeof key === 'string') define(labels, key, text);
    }
  }

  /** Takes out what these issues are about, which were found in `json`. */
  take(issues: readonly Issue[]): void {
    const indices = this.#indicesLeft();
    for (const { path, ...issue } of issues)
      this.#takeOne({ ...issue, path: inGiven(path, indices) } as Issue);
  }

  #takeOne(issue: Issue): void {
    const { path } = issue;
    const member = valueAt(this.#given, path.slice(0, 2));
    const { scope, steps } = scopeOf(this.#kind, path, member);
    const place = path.slice(0, steps);
    if (scope === 'member') this.#loseMember(issue);
    else if (scope === 'definition') this.#loseDefinition(issue);
    else if (scope === 'labels') this.#loseLabels(place, issue);
    else {
      this.#reject(issue);
      this.#lose(scope, place, path);
    }
  }

  #lose(scope: Exclude<ErrorScope, 'member' | 'definition' | 'labels'>, place: Path, path: Path): void {
    if (scope === 'meaning' || scope === 'place') {
      this.#losePort(scope, place, path);
      return;
    }
    if (scope === 'health') this.#health.add(taskAt(this.#given, place));
    if (scope === 'members') this.#taskList = true;
    this.#set(place, this.#insteadOf(scope, place));
  }

  #insteadOf(scope: ErrorScope, place: Path): unknown {
    // Tasks that have results have checks.
    if (scope === 'checks') return membersOf(this.#given, this.#list).some(hasResults) ? [null] : undefined;
    return typeof place.at(-1) === 'number' ? 0 : undefined;
  }

  #losePort(scope: 'meaning' | 'place', place: Path, path: Path): void {
    const at = pathText(place[0] === 'spec' ? place.slice(1) : place);
    if (this.#ports.get(at) !== 'place') this.#ports.set(at, scope);
    const field = path[place.length];
    // One that names a host port has one: which one a task got is counted.
    if (field === undefined) this.#set(place, {});
    else this.#set([...place, field], field === 'hostPort' ? 0 : undefined);
  }

  #loseMember(issue: Issue): void {
    const [, index] = issue.path;
    if (typeof index !== 'number' || this.#tasks.has(index)) return;
    const member = membersOf(this.#given, this.#list)[index];
    const id =
      isRecord(member) && typeof member['id'] === 'string' && member['id'] !== '' ? member['id'] : null;
    this.#tasks.set(index, { id, rejection: issueRejection(this.#id, this.#given, issue) });
  }

  /** The tasks are left, and what is wrong with them. */
  #loseDefinition(issue: Issue): void {
    this.#definition ??= issueRejection(this.#id, this.#given, issue);
    const { id, [this.#list]: members } = this.#json;
    this.#json = { id, [this.#list]: members, ...('spec' in this.#json && { spec: {} }) };
  }

  /** Of an object of labels only those are left that may be read. */
  #loseLabels(place: Path, issue: Issue): void {
    const labels = valueAt(this.#json, place);
    const ofApp = place.length === 1;
    if (!isRecord(labels)) {
      this.#reject(issue);
      this.#set(place, undefined);
      if (!ofApp) this.#ports.set(portOf(place), 'meaning');
      return;
    }
    const isOurs = (key: string) => (ofApp ? isTaskLabel(key) : isVipLabel(key) || OPTION_KEYS.includes(key));
    const left: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(labels)) {
      const isLong = typeof value === 'string' && value.length > BOUNDS.labelLength;
      if (!isOurs(key)) continue;
      if (key.length > BOUNDS.nameLength) {
        this.#reject({ ...issue, message: `expected keys of at most ${BOUNDS.nameLength} characters` });
        continue;
      }
      if (!isLong) define(left, key, value);
      else if (ofApp) this.#reject({ ...issue, path: [...place, key] });
      else this.#longLabels.push({ path: [...place, key], text: value.slice(0, BOUNDS.labelLength + 1) });
    }
    const isOver = Object.keys(left).length > BOUNDS.labels;
    if (isOver) {
      this.#reject(issue);
      if (!ofApp) this.#ports.set(portOf(place), 'meaning');
    }
    this.#set(place, isOver ? undefined : left);
  }

  #reject(issue: Issue): void {
    const rejection = issueRejection(this.#id, this.#given, issue);
    if (!this.#rejected.has(rejection.at)) this.#rejected.set(rejection.at, rejection);
  }

  #set(path: Path, value: unknown): void {
    const parent = valueAt(this.#json, path.slice(0, -1));
    const key = path.at(-1);
    if (key === undefined || typeof parent !== 'object' || parent === null) return;
    if (value === undefined) Reflect.deleteProperty(parent, key);
    else Reflect.set(parent, key, value);
  }

  /** Where each task that is left stood at first. */
  #indicesLeft(): { readonly list: string; readonly indices: readonly number[] } | null {
    if (this.#tasks.size === 0) return null;
    const indices = membersOf(this.#json, this.#list).flatMap((_, index) =>
      this.#tasks.has(index) ? [] : index,
    );
    return { list: this.#list, indices };
  }
}

function inGiven(
  path: Path,
  left: { readonly list: string; readonly indices: readonly number[] } | null,
): PropertyKey[] {
  const [first, index] = path;
  if (left === null || first !== left.list || typeof index !== 'number') return [...path];
  return [first, left.indices[index] ?? index, ...path.slice(2)];
}

/** The id of the task that has this result, or this container's condition. */
function taskAt(json: Json, place: Path): string {
  const task = valueAt(json, place.slice(0, 2));
  const id = isRecord(task) ? task['id'] : null;
  const container = valueAt(json, place.slice(0, 4));
  if (place.length < 5 || !isRecord(container)) return String(id);
  return String(container['containerId'] || `${id}.${container['name']}`);
}

/** The port whose labels stand there. */
function portOf(labels: Path): string {
  return pathText(labels[0] === 'spec' ? labels.slice(1, -1) : labels.slice(0, -1));
}

function hasResults(task: unknown): boolean {
  const results = isRecord(task) ? task['healthCheckResults'] : null;
  return Array.isArray(results) && results.length > 0;
}

function membersOf(json: Json, list: string): readonly unknown[] {
  const members = json[list];
  return Array.isArray(members) ? members : [];
}

function valueAt(json: unknown, path: Path): unknown {
  let value = json;
  for (const step of path)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  return value;
}

/** Not by assignment: a label may be called `__proto__`. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}
