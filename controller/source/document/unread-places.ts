import type { MarathonTask, UnreadPlaces } from '../../marathon-json.ts';
import type { App, Port, Task } from '../../model.ts';
import { notPlaced, type Placement } from './placement.ts';

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

/**
 * Where a port is reached whose task is one of these. `hostPort` tells the port by its host port; null if it is reached
 * at the task's own addresses. `place` finds it from what of the task could be read, with the number of its host port if
 * that is given.
 *
 * Only the number of a host port is what it last was: its agent may have another address by now.
 */
export function placeOrLast(
  port: Port,
  hostPort: number | string | null,
  { unread, before }: KeptPlaces,
  place: (number?: number) => Placement,
): Placement {
  const last = before?.ports.find(
    ({ at, backendAddress }) => at === port.at && backendAddress === port.backendAddress,
  );
  const [known] = last?.endpoints ?? [];
  if (hostPort === null) {
    if (!unread.addresses) return place();
    return last === undefined || known === undefined ? notPlaced(UNREAD_PLACE) : placementOf(last);
  }
  const isLost = unread.ports === 'all' || unread.ports.has(hostPort);
  if (isLost && known === undefined) return notPlaced(UNREAD_PLACE);
  const now = isLost ? place(known?.port) : place();
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
