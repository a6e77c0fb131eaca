/** What a relay notes of tasks in the annotations of an EndpointSlice, which has no fields for it. Pure. */

import {
  LOCAL_ANNOTATION,
  type Locals,
  PLACES_ANNOTATION,
  placesText,
  TASKS_ANNOTATION,
} from '../kubernetes/relayed.ts';
import type { Task } from '../model/app.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { conditionsOf, impliesStatus } from './slice-conditions.ts';

/**
 * Limit for the notes of one slice, in bytes. The API server refuses an object whose annotations have more than 256 KiB in all,
 * with those that others add.
 */
export const MAX_NOTES_BYTES = 240 * 1_024;

/** Returns the annotations of a slice with these tasks; none for what its endpoints say themselves. */
export function annotationsOf(tasks: readonly Task[]): Readonly<Record<string, string>> {
  const statuses: Record<string, string> = {};
  const locals: Record<string, Locals[string]> = {};
  for (const task of tasks) {
    if (!impliesStatus(conditionsOf(task), task)) statuses[task.id] = `${task.state}/${task.health}`;
    const local = localsOf(task);
    if (Object.keys(local).length > 0) locals[task.id] = local;
  }
  const places = placesText(tasks);
  return {
    ...annotation(TASKS_ANNOTATION, statuses),
    ...annotation(LOCAL_ANNOTATION, locals),
    ...(places !== null && { [PLACES_ANNOTATION]: places }),
  };
}

/** How many bytes a task adds to the annotations of a slice, at most. */
export function notesBytes(task: Task): number {
  return Object.entries(annotationsOf([task]))
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** An annotation with this value, or none if the value is empty. */
function annotation(name: string, value: object): Readonly<Record<string, string>> {
  return Object.keys(value).length === 0 ? {} : { [name]: JSON.stringify(value) };
}

function localsOf({ ports }: Task): Locals[string] {
  const locals: Record<string, readonly Endpoint[]> = {};
  for (const [index, { local = [] }] of ports.entries()) if (local.length > 0) locals[index] = local;
  return locals;
}
