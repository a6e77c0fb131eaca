import type { App, Task } from '../model/app.ts';
import type { BackendKey } from '../model/endpoint.ts';
import { takenBack } from './offers.ts';
import { endpointsOf } from './task-index.ts';

/** How a source came to report an app: in a list, or by itself. */
export interface Report {
  /** Whether it was read by itself, so that what its definition says now is said of this very app. */
  readonly byName: boolean;
  /** Which of its missing tasks the source named as ended: all, or those with these ids. */
  readonly ended: 'all' | ReadonlySet<string>;
}

/**
 * The endpoints of tasks of one app that a source named as ended, or as no longer serving a VIP. `before` and `now`: the
 * source's rows of the app.
 *
 * A task that is missing for another reason may only have been left out, as by a Marathon that is still loading. It counts as
 * ended only when it was ending before.
 */
export function endedByName(
  before: readonly App[],
  now: readonly App[],
  { byName, ended }: Report,
): readonly BackendKey[] {
  if (before.length === 0) return [];
  const ending = endpointsIn(ended === 'all' ? before : before.map((app) => onlyEnding(app, ended)));
  const still = byName || ending.length > 0 ? new Set(endpointsIn(now)) : NONE;
  const gone = ending.filter((endpoint) => !still.has(endpoint));
  if (!byName) return gone;
  const back = takenBack(before, now).filter((endpoint) => ended === 'all' || still.has(endpoint));
  return [...new Set([...gone, ...back])];
}

const NONE: ReadonlySet<BackendKey> = new Set();

function onlyEnding(app: App, ended: ReadonlySet<string>): App {
  const isEnding = ({ id, state }: Task) => state === 'killing' || state === 'gone' || ended.has(id);
  return { ...app, tasks: app.tasks.filter(isEnding) };
}

function endpointsIn(apps: readonly App[]): BackendKey[] {
  return apps.flatMap(({ tasks }) => tasks.flatMap(({ ports }) => ports.flatMap(endpointsOf)));
}
