import { BOUNDS, overBound } from '../../input/bounds.ts';
import { isRecord, shown } from '../../input/rejection.ts';
import { expected } from '../../input/schema-messages.ts';
import type { Rejection, TaskState } from '../../model/app.ts';
import { factsOf, mesosState, type TaskFacts } from './facts.ts';
import { type Problem, readable } from './readable.ts';
import { taskSchema } from './schema.ts';

/** An entry of a list, or the content of an event, that cannot be used. */
export interface Unreadable {
  /** The key of its task, as far as it can be read. */
  readonly key: string;
  /** The current state of its task, which still counts; null if it cannot be read. */
  readonly state: TaskState | null;
  /** `app` is the id of the task; empty if it cannot be read. */
  readonly rejection: Rejection;
}

/** Reads a task of a state or an event without its wrong values. Returns an `Unreadable` if nothing of it can be used. */
export function readTask(json: unknown): { readonly task: TaskFacts } | Unreadable {
  if (!isRecord(json))
    return unreadableTask(json, { at: '', value: '', reason: `expected a task, got ${shown(json)}` });
  const over = overBound(json);
  if (over !== null) return unreadableTask(json, { value: '', ...over });
  const read = readable(taskSchema, json);
  if (read.data === null) return unreadableTask(json, read.problems[0]);
  if (!read.data.state && !read.data.statuses?.some(({ state }) => state))
    return unreadableTask(json, read.problems.find(({ at }) => at === 'state') ?? noState(json['state']));
  return { task: factsOf(read.data, read) };
}

/** The mistake of a task that has neither a state nor a status with one. */
export function noState(value: unknown): Problem {
  return { at: 'state', value: shown(value), reason: expected('text', value) };
}

/** Why a task could not be read, with what is still known of it. */
export function unreadableTask(json: unknown, problem: Problem = noState(undefined)): Unreadable {
  const id = idIn(json, 'task_id') ?? '';
  const key = taskKey(idIn(json, 'framework_id') ?? '', id);
  const state = isRecord(json) && typeof json['state'] === 'string' ? mesosState(json['state']) : null;
  return { key, state, rejection: { app: id, ...problem } };
}

/** `framework id` and `task id`: what makes a task id unique. */
export function taskKey(frameworkId: string, taskId: string): string {
  return `${frameworkId} ${taskId}`;
}

/** The framework id in the key of a task. */
export function frameworkIdIn(key: string): string {
  return key.slice(0, key.indexOf(' '));
}

/** The task id in the key of a task. */
export function taskIdIn(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** The key of a task. */
export function keyOf({ frameworkId, id }: Pick<TaskFacts, 'frameworkId' | 'id'>): string {
  return taskKey(frameworkId, id);
}

/** The id in a field of any JSON, cut to its bound; null when there is none. */
export function idIn(json: unknown, field: string): string | null {
  const id = isRecord(json) ? json[field] : undefined;
  return isRecord(id) && typeof id['value'] === 'string' ? id['value'].slice(0, BOUNDS.nameLength) : null;
}
