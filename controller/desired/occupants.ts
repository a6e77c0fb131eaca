import {
  type App,
  type BackendKey,
  type Endpoint,
  endpointKey,
  type Snapshot,
  type Task,
  type TaskPort,
} from '../model.ts';
import { differenceOf } from './grouping.ts';
import { readPortOptions } from './port-options.ts';

/** Who is reached at an endpoint, as far as the sources know. */
export interface Occupant {
  /**
   * How long connections to it may live on, in seconds: its task still runs (an unreachable agent is no reason to
   * believe otherwise). null: its task has ended.
   */
  readonly drainSeconds: number | null;
  readonly standing: OccupantStanding;
}

/**
 * How a task that is told of stands. `ended`: it is being killed or gone. `serving`: it runs, and its health is good or not
 * checked. `health lost`: it runs and has a health check, and nobody knows the result.
 */
export type OccupantStanding = 'serving' | 'ended' | 'health lost' | 'unhealthy' | 'unreachable' | 'staging';

/** null: no source knows a task there. */
export type Occupants = (endpoint: BackendKey) => Occupant | null;

/**
 * Makes the function that finds the tasks of a snapshot by where they are reached; reads no app twice. Those of a snapshot
 * are to be asked before the next one is given.
 */
export function createOccupants(): (snapshot: Snapshot) => Occupants {
  const read = new Map<App, ReadonlyMap<BackendKey, Occupant>>();
  let last: readonly App[] = [];

  const occupantsOf = (app: App): ReadonlyMap<BackendKey, Occupant> => {
    let occupants = read.get(app);
    if (occupants === undefined) {
      occupants = byEndpoint(app);
      read.set(app, occupants);
    }
    return occupants;
  };

  return ({ apps }) => {
    for (const app of differenceOf(last, apps).gone) read.delete(app);
    last = apps;
    let asked = 0;
    let all: ReadonlyMap<BackendKey, Occupant> | undefined;
    return (endpoint) => {
      asked += 1;
      // One task that moves asks once or twice: looking into each app is then cheaper than putting all together.
      if (asked <= FEW) {
        return apps.reduce<Occupant | null>((found, app) => {
          const one = occupantsOf(app).get(endpoint);
          return one === undefined ? found : both(found ?? one, one);
        }, null);
      }
      all ??= together(apps.map(occupantsOf));
      return all.get(endpoint) ?? null;
    };
  };
}

const FEW = 16;

function together(each: readonly ReadonlyMap<BackendKey, Occupant>[]): ReadonlyMap<BackendKey, Occupant> {
  const all = new Map<BackendKey, Occupant>();
  for (const occupants of each) for (const [endpoint, one] of occupants) add(all, endpoint, one);
  return all;
}

function byEndpoint({ tasks }: App): ReadonlyMap<BackendKey, Occupant> {
  const occupants = new Map<BackendKey, Occupant>();
  for (const task of tasks) {
    for (const port of task.ports) {
      const drainSeconds = task.state === 'gone' ? null : readPortOptions(port.labels).options.drainSeconds;
      const occupant = { drainSeconds, standing: standingOf(task) };
      for (const endpoint of everyEndpoint(port)) add(occupants, endpointKey(endpoint), occupant);
    }
  }
  return occupants;
}

/** Where a task's port is reached, from its own host and from others. */
export function everyEndpoint({ endpoints, local = [] }: TaskPort): readonly Endpoint[] {
  return local.length === 0 ? endpoints : [...endpoints, ...local];
}

function standingOf({ state, health }: Task): OccupantStanding {
  if (state === 'killing' || state === 'gone') return 'ended';
  if (state !== 'running') return state;
  if (health === 'unknown') return 'health lost';
  return health === 'unhealthy' ? 'unhealthy' : 'serving';
}

/** Which counts of several at one endpoint: the first of these. */
const FIRST: readonly OccupantStanding[] = [
  'serving',
  'ended',
  'unhealthy',
  'health lost',
  'unreachable',
  'staging',
];

function add(all: Map<BackendKey, Occupant>, endpoint: BackendKey, one: Occupant): void {
  const other = all.get(endpoint);
  all.set(endpoint, other === undefined ? one : both(other, one));
}

/** Of two apps with tasks at one endpoint the longer drain wins, and the standing that says more. */
function both(a: Occupant, b: Occupant): Occupant {
  if (a === b) return a;
  const drainSeconds =
    a.drainSeconds === null || b.drainSeconds === null
      ? (a.drainSeconds ?? b.drainSeconds)
      : Math.max(a.drainSeconds, b.drainSeconds);
  const standing = FIRST.indexOf(a.standing) <= FIRST.indexOf(b.standing) ? a.standing : b.standing;
  return { drainSeconds, standing };
}
