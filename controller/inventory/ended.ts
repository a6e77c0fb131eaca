import { type App, type BackendKey, endpointKey } from '../model.ts';
import { takenBack } from './offers.ts';
import { everyEndpoint } from './task-index.ts';

/**
 * Where a source has named a task of one app as ended, or as serving a VIP no more. `before` and `now` are what the
 * source has of that app, in a row for each kind.
 *
 * `byName`: the source read this very app, so what is missing in it has ended. Otherwise it stood in a list, from
 * which it may just have been left out: only what had been ending before has ended.
 */
export function endedByName(
  before: readonly App[],
  now: readonly App[],
  byName: boolean,
): readonly BackendKey[] {
  if (before.length === 0) return [];
  const ending = endpointsOf(byName ? before : before.map(onlyEnding));
  const still = ending.length === 0 ? NONE : new Set(endpointsOf(now));
  const ended = ending.filter((endpoint) => !still.has(endpoint));
  return byName ? [...new Set([...ended, ...takenBack(before, now)])] : ended;
}

const NONE: ReadonlySet<BackendKey> = new Set();

function onlyEnding(app: App): App {
  return { ...app, tasks: app.tasks.filter(({ state }) => state === 'killing' || state === 'gone') };
}

function endpointsOf(apps: readonly App[]): BackendKey[] {
  return apps.flatMap(({ tasks }) =>
    tasks.flatMap(({ ports }) => ports.flatMap((port) => everyEndpoint(port).map(endpointKey))),
  );
}
