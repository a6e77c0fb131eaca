import type { App, AppKey, Task, TaskPort } from '../model/app.ts';
import { type BackendKey, type Endpoint, endpointKey } from '../model/endpoint.ts';
import { readPortOptions } from '../settings/label-options.ts';
import { KeyIndex } from './key-index.ts';

/** The task at an endpoint, as far as the sources know. */
export interface EndpointTask {
  /**
   * How long connections to it may go on, in seconds, while its task runs (an unreachable agent does not change that); null
   * when the task has ended.
   */
  readonly drainSeconds: number | null;
  readonly condition: TaskCondition;
}

/**
 * The condition of a task. `ended`: being killed, or gone. `serving`: running, and healthy or not checked. `health lost`:
 * running with a health check whose result is unknown.
 */
export type TaskCondition = 'serving' | 'ended' | 'health lost' | 'unhealthy' | 'unreachable' | 'staging';

/** Finds the task at an endpoint; null when no source knows one. */
export type TaskLookup = (endpoint: BackendKey) => EndpointTask | null;

/** Index of tasks by endpoint, as reached from their own host and from others. */
export class TaskIndex {
  readonly #apps: ReadonlyMap<AppKey, App>;
  readonly #byEndpoint = new KeyIndex();

  /** `apps`: the indexed apps. An app must have been added to it, or removed from it, before `replace` is called. */
  constructor(apps: ReadonlyMap<AppKey, App>) {
    this.#apps = apps;
  }

  /** Updates the index after an app was added, changed or removed. */
  replace(key: AppKey, before: App | undefined, now: App | undefined): void {
    this.#byEndpoint.replace(key, endpointsIn(before), endpointsIn(now));
  }

  /** The apps with a task at an endpoint. */
  appsAt(endpoint: BackendKey): readonly App[] {
    return this.#byEndpoint.find(endpoint).flatMap((key) => this.#apps.get(key) ?? []);
  }

  /** Where several tasks share an endpoint, the longest drain and the best condition count. */
  taskAt(endpoint: BackendKey): EndpointTask | null {
    let found: EndpointTask | null = null;
    const number = Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
    for (const app of this.appsAt(endpoint)) {
      for (const task of app.tasks) {
        for (const port of task.ports) {
          if (!isAt(port, endpoint, number)) continue;
          const one = endpointTask(task, port);
          found = found === null ? one : both(found, one);
        }
      }
    }
    return found;
  }
}

/** The endpoints of a task's port, from its own host and from others. */
export function endpointsOf({ endpoints, local = [] }: TaskPort): readonly BackendKey[] {
  return (local.length === 0 ? endpoints : [...endpoints, ...local]).map(endpointKey);
}

function endpointsIn(app: App | undefined): ReadonlySet<BackendKey> {
  if (app === undefined || app.tasks.length === 0) return NONE;
  const found = new Set<BackendKey>();
  for (const { ports } of app.tasks)
    for (const port of ports) for (const endpoint of endpointsOf(port)) found.add(endpoint);
  return found;
}

const NONE: ReadonlySet<BackendKey> = new Set();

/** Compares the lengths first, which is cheaper than formatting each endpoint. */
function isAt({ endpoints, local = [] }: TaskPort, endpoint: BackendKey, number: number): boolean {
  const isThere = (one: Endpoint) => one.port === number && endpointKey(one) === endpoint;
  return endpoints.some(isThere) || local.some(isThere);
}

function endpointTask(task: Task, port: TaskPort): EndpointTask {
  const drainSeconds = task.state === 'gone' ? null : readPortOptions(port.labels).options.drainSeconds;
  return { drainSeconds, condition: conditionOf(task) };
}

function conditionOf({ state, health }: Task): TaskCondition {
  if (state === 'killing' || state === 'gone') return 'ended';
  if (state !== 'running') return state;
  if (health === 'unknown') return 'health lost';
  return health === 'unhealthy' ? 'unhealthy' : 'serving';
}

/** Of several conditions at an endpoint, the first in this order counts. */
const FIRST: readonly TaskCondition[] = [
  'serving',
  'ended',
  'unhealthy',
  'health lost',
  'unreachable',
  'staging',
];

function both(a: EndpointTask, b: EndpointTask): EndpointTask {
  const drainSeconds =
    a.drainSeconds === null || b.drainSeconds === null
      ? (a.drainSeconds ?? b.drainSeconds)
      : Math.max(a.drainSeconds, b.drainSeconds);
  const condition = FIRST.indexOf(a.condition) <= FIRST.indexOf(b.condition) ? a.condition : b.condition;
  return { drainSeconds, condition };
}
