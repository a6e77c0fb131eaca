import { compareText } from '../compare.ts';
import type { App, Task } from '../model/app.ts';
import type { BackendKey } from '../model/endpoint.ts';
import { endpointsOf, type TaskIndex } from './task-index.ts';

/** The VIPs that a task's port declares at an endpoint, as text; equal texts mean the same VIPs. */
type Offer = string;

/**
 * What serving tasks (running, and healthy or not checked) declare at these endpoints, and their places. Endpoints without a
 * serving task are left out.
 */
export function offersAt(
  endpoints: ReadonlySet<BackendKey>,
  tasks: TaskIndex,
): ReadonlyMap<BackendKey, string> {
  const found = new Map<BackendKey, string>();
  for (const endpoint of endpoints) {
    const offers = new Set<Offer>();
    for (const app of tasks.appsAt(endpoint))
      for (const [, offer, { place }] of offersOf(app, (at) => at === endpoint))
        offers.add(`${offer} ${JSON.stringify([place?.region, place?.zone, place?.node])}`);
    if (offers.size > 0) found.set(endpoint, [...offers].sort().join());
  }
  return found;
}

/**
 * The endpoints at which a later version of apps takes something back that an earlier one declared, in a definition of its own: the
 * labels of a port changed, or a task became unhealthy or ends. Of a task that was lost sight of (no health result,
 * unreachable, staging again) nothing was said.
 */
export function takenBack(before: readonly App[], now: readonly App[]): readonly BackendKey[] {
  const left = new Set(
    now.flatMap((app) => [...offersOf(app)].map(([endpoint, offer]) => `${endpoint} ${offer}`)),
  );
  const outOfSight = new Set(
    now.flatMap(({ tasks }) => tasks.filter(isOutOfSight).flatMap(({ ports }) => ports.flatMap(endpointsOf))),
  );
  return before
    .flatMap((app) => [...offersOf(app)])
    .filter(([endpoint, offer]) => !left.has(`${endpoint} ${offer}`) && !outOfSight.has(endpoint))
    .map(([endpoint]) => endpoint);
}

function* offersOf(
  { framework, id, tasks }: App,
  isWanted: (endpoint: BackendKey) => boolean = () => true,
): Generator<readonly [BackendKey, Offer, Task]> {
  for (const task of tasks.filter(serves)) {
    for (const port of task.ports) {
      const places = endpointsOf(port).filter(isWanted);
      if (places.length === 0) continue;
      const labels = Object.entries(port.labels).sort(([a], [b]) => compareText(a, b));
      const offer = JSON.stringify([framework, id, port.protocols, labels]);
      for (const endpoint of places) yield [endpoint, offer, task];
    }
  }
}

function serves({ state, health }: Task): boolean {
  return state === 'running' && (health === 'healthy' || health === 'unchecked');
}

function isOutOfSight({ state, health }: Task): boolean {
  return state === 'unreachable' || state === 'staging' || (state === 'running' && health === 'unknown');
}
