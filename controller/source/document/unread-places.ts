import type { MarathonTask, UnreadPlaces } from '../../marathon-json.ts';
import type { App, Task } from '../../model.ts';
import { notPlaced, type Placement } from './placement.ts';
import type { PlacedPort } from './ports.ts';

/** Why a port that has no last good place is nowhere. */
export const UNREAD_PLACE = 'where it is reached could not be read';

/** A task with values that decide where its ports are reached and that could not be read: those ports stay where they last were. */
export interface KeptPlaces {
  readonly unread: UnreadPlaces;
  /** The task as it was converted last; undefined where it was not. */
  readonly before: Task | undefined;
}

/** These tasks of an app, by id. `previous`: the app as it was converted last. */
export function keptPlaces(
  places: ReadonlyMap<string, UnreadPlaces> = new Map(),
  previous: App | undefined,
): ReadonlyMap<string, KeptPlaces> {
  const known = new Map(places.size === 0 ? [] : previous?.tasks.map((task) => [task.id, task]));
  return new Map([...places].map(([id, unread]) => [id, { unread, before: known.get(id) }]));
}

/** Where a port is reached whose task is one of these; `place` finds it from what of the task could be read. */
export function placeOrLast(
  { port, reach }: PlacedPort,
  { unread, before }: KeptPlaces,
  place: () => Placement,
): Placement {
  const last = before?.ports.find(
    ({ at, backendAddress }) => at === port.at && backendAddress === port.backendAddress,
  );
  const isLost = reach.by === 'container port' ? unread.addresses : unread.ports.has(reach.index);
  if (isLost)
    return last === undefined || last.endpoints.length === 0 ? notPlaced(UNREAD_PLACE) : placementOf(last);
  const now = place();
  // Behind its host port it is where it was: a task keeps its addresses.
  return unread.addresses && last?.local !== undefined ? { ...now, local: last.local } : now;
}

function placementOf({ endpoints, local, unresolved }: Placement): Placement {
  return { endpoints, ...(local && { local }), ...(unresolved !== undefined && { unresolved }) };
}

/** What can be said of the networks of a task: nothing by some of its addresses, which may be those of other networks. */
export function placedBy(task: MarathonTask, kept: KeptPlaces | undefined): MarathonTask {
  return kept?.unread.addresses ? { ...task, ipAddresses: null } : task;
}
