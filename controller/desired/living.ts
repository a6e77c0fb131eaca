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

  return ({ apps }) => {
    let all: Map<BackendKey, number> | undefined;
    return (endpoint) => {
      all ??= collect(apps, read);
      return all.get(endpoint) ?? null;
    };
  };
}

function collect(
  apps: readonly App[],
  read: WeakMap<App, ReadonlyMap<BackendKey, number>>,
): Map<BackendKey, number> {
  const all = new Map<BackendKey, number>();
  for (const app of apps) {
    let own = read.get(app);
    if (own === undefined) {
      own = livingEndpoints(app);
      read.set(app, own);
    }
    for (const [endpoint, seconds] of own) all.set(endpoint, Math.max(seconds, all.get(endpoint) ?? 0));
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
