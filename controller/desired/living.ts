import { type App, type BackendKey, endpointKey, type Snapshot } from '../model.ts';
import { readPortOptions } from './port-options.ts';

/**
 * How long connections to an endpoint may live on, in seconds: its task still runs as far as its source knows (an
 * unreachable agent is no reason to believe otherwise). null: no task is there any more.
 */
export type DrainSeconds = (endpoint: BackendKey) => number | null;

/** Makes the function that finds the tasks of a snapshot by where they are reached; reads no app twice. */
export function createLiving(): (snapshot: Snapshot) => DrainSeconds {
  const read = new WeakMap<App, ReadonlyMap<BackendKey, number>>();

  const endpointsOf = (app: App): ReadonlyMap<BackendKey, number> => {
    let endpoints = read.get(app);
    if (endpoints === undefined) {
      endpoints = livingEndpoints(app);
      read.set(app, endpoints);
    }
    return endpoints;
  };

  return ({ apps }) => {
    let asked = 0;
    let all: ReadonlyMap<BackendKey, number> | undefined;
    return (endpoint) => {
      asked += 1;
      // One task that moves asks once or twice: looking into each app is then cheaper than putting all together.
      if (asked <= FEW) return longest(apps.map((app) => endpointsOf(app).get(endpoint)));
      all ??= together(apps.map(endpointsOf));
      return all.get(endpoint) ?? null;
    };
  };
}

const FEW = 16;

function longest(seconds: readonly (number | undefined)[]): number | null {
  return seconds.reduce<number | null>(
    (most, one) => (one === undefined ? most : Math.max(one, most ?? 0)),
    null,
  );
}

function together(each: readonly ReadonlyMap<BackendKey, number>[]): ReadonlyMap<BackendKey, number> {
  const all = new Map<BackendKey, number>();
  for (const endpoints of each) {
    for (const [endpoint, seconds] of endpoints) all.set(endpoint, Math.max(seconds, all.get(endpoint) ?? 0));
  }
  return all;
}

function livingEndpoints({ tasks }: App): ReadonlyMap<BackendKey, number> {
  const endpoints = new Map<BackendKey, number>();
  for (const task of tasks) {
    if (task.state === 'gone') continue;
    for (const port of task.ports) {
      const { drainSeconds } = readPortOptions(port.labels).options;
      for (const endpoint of port.endpoints) endpoints.set(endpointKey(endpoint), drainSeconds);
    }
  }
  return endpoints;
}
