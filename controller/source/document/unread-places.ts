import type { UnreadPlaces } from '../../input/marathon-json.ts';
import type { App, Placement, Port, Task } from '../../model/app.ts';
import { notPlaced } from './placement.ts';

/** The reason for a port without endpoints whose address could not be read and was not known before. */
export const UNREAD_PLACE = 'its address or port could not be read, and none is known from before';

/** A task with unreadable values that decide where its ports are reached: these ports keep their last placement. */
export interface KeptPlaces {
  readonly unread: UnreadPlaces;
  /** The task as last converted; undefined if it never was. */
  readonly before: Task | undefined;
}

/** The tasks of an app with unreadable places, by id. `previous`: the app as last converted. */
export function keptPlaces(
  places: ReadonlyMap<string, UnreadPlaces> = new Map(),
  previous: App | undefined,
): ReadonlyMap<string, KeptPlaces> {
  const known = new Map(places.size === 0 ? [] : previous?.tasks.map((task) => [task.id, task]));
  return new Map([...places].map(([id, unread]) => [id, { unread, before: known.get(id) }]));
}

/**
 * Places a port of such a task. `hostPort` identifies the port by its host port; null if it is reached at the task's own
 * addresses. `place` places it by the values that could be read, at the host port that it is given, if any.
 *
 * An unreadable host port keeps its last number, but not the address: that of its agent may have changed since.
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
  // A task keeps its addresses, so the container behind a host port is still at the last known ones.
  return unread.addresses && last?.local !== undefined ? { ...now, local: last.local } : now;
}

function placementOf({ endpoints, local, unresolved }: Placement): Placement {
  return { endpoints, ...(local && { local }), ...(unresolved !== undefined && { unresolved }) };
}
