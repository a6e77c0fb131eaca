/** Apps as sources report them. */

import type { Endpoint } from './endpoint.ts';
import type { Place } from './place.ts';

/** Identifies an app: `marathon /group/web`. */
export type AppKey = string;

/** Identifies a row of a source. An app can have two: its definition, and what was put together from its tasks. */
export type RowKey = string;

/**
 * A Marathon app or pod as one source reports it, in the same shape whatever the API: its definition with the tasks that
 * the source lists, or what was put together from tasks (`fromTasks`). Immutable: a changed app is a new object.
 */
export interface App {
  /** Absolute id, `/group/web`. A pod has its pod id. */
  readonly id: string;
  readonly kind: 'app' | 'pod';
  /** The app has no definition; it was put together from the labels and ports of its tasks (Mesos). */
  readonly fromTasks?: true;
  /** Name of the source (`mesos=http://10.0.0.1:5050`) of an app that was put together from its tasks. */
  readonly source?: string;
  /** The tasks are not copies of one another (`worker-0`, `worker-1`): the labels of one say nothing about another. */
  readonly labelsPerTask?: true;
  /** Mesos framework name as the source reports it, not yet cleaned for DNS; `marathon` by default. */
  readonly framework: string;
  /** The ports of the newest definition, whether or not a task runs. */
  readonly ports: readonly Port[];
  readonly tasks: readonly Task[];
  /** Problems in this app's JSON, apart from its labels. */
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  /** Why some of it is unknown, as in `UnknownPart`; absent when all of it is known. */
  readonly unknown?: string;
}

/** A port that a definition declares: a portDefinition, a portMapping or a pod's endpoint. */
export interface Port {
  /** Its path in the app's JSON: `portDefinitions[0]`, `container.docker.portMappings[1]`, `containers[0].endpoints[2]`. */
  readonly at: string;
  /** As written, not yet checked: `['tcp']`, `['udp', 'tcp']`, `['http']`. */
  readonly protocols: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mode: 'host' | 'container/bridge' | 'container';
  /** Whether its backends are the agent's address and a host port, or the container's own address and port. */
  readonly backendAddress: 'agent' | 'container';
  /** Name of the pod's container; absent for an app. */
  readonly container?: string;
  /** Name of the source, where another source declares another port at this place. */
  readonly definedBy?: string;
}

/** A running copy of an app, or one container of a pod's instance. */
export interface Task {
  readonly id: string;
  /** Its name in the framework, which Mesos-DNS uses; absent when the source does not report it. */
  readonly name?: string;
  /** Name of the only source that knows this task, when another source defines its app. */
  readonly onlyIn?: string;
  readonly state: TaskState;
  readonly health: Health;
  /** The agent that it runs on; absent when the endpoints of its ports say as much. */
  readonly agent?: Agent;
  /** The place of that agent; absent when the source does not report it. */
  readonly place?: Place;
  /** Addresses of its container besides those of its ports; absent when there are none. */
  readonly addresses?: readonly string[];
  /** The ports of the version that this task runs (an older one during a deployment), with their endpoints. */
  readonly ports: readonly TaskPort[];
}

/** The agent that a task runs on. */
export interface Agent {
  /** As the source reports it: a host name or an address. */
  readonly host: string;
  readonly address: string;
}

/** Marathon's TASK_* states, reduced to what matters for a backend. `gone`: finished, failed, killed or lost. */
export type TaskState = 'staging' | 'running' | 'killing' | 'unreachable' | 'gone';

/** `unchecked`: no health check is defined. `unknown`: one is defined but has no result yet. */
export type Health = 'unchecked' | 'healthy' | 'unhealthy' | 'unknown';

/** A port of a task, and where it is reached. */
export interface TaskPort extends Port {
  /** Where any host reaches the port: IP addresses of both families; empty while unknown. */
  readonly endpoints: readonly Endpoint[];
  /**
   * Where the agent itself reaches a port that others reach by a host port: the container's own address and port, at most
   * one for each family. Absent when unknown.
   */
  readonly local?: readonly Endpoint[];
  /** For a warning: why endpoints are missing although the task runs; absent when none are. */
  readonly unresolved?: string;
}

/** Where a port of a task is reached, or why that is unknown. */
export type Placement = Pick<TaskPort, 'endpoints' | 'local' | 'unresolved'>;

/**
 * A task's port: what is declared, and where it is reached. Spreads would make room for fields that most ports lack: a third
 * more memory, for each of a hundred thousand tasks.
 */
export function placedPort(
  { at, protocols, labels, mode, backendAddress, container }: Port,
  { endpoints, local, unresolved }: Placement,
): TaskPort {
  const port = { at, protocols, labels, mode, backendAddress, endpoints };
  if (container === undefined && local === undefined && unresolved === undefined) return port;
  return {
    ...port,
    ...(container !== undefined && { container }),
    ...(local !== undefined && { local }),
    ...(unresolved !== undefined && { unresolved }),
  };
}

/** Input that could not be used, described so that its author finds it. */
export interface Rejection {
  /** App or pod id; the path of the file when there is no app. */
  readonly app: string;
  /** Path in its JSON, `portDefinitions[0].labels.VIP_0`; empty for the whole document. */
  readonly at: string;
  /** The offending value as text, cut to a readable length. */
  readonly value: string;
  /** What was expected: `expected NAME:PORT or IP:PORT`. */
  readonly reason: string;
}

// Keys are kept by the hundred thousand. What a template puts together keeps its parts, which takes three times the memory of
// the text; what is joined does not.

/** The key of an app. */
export function appKey({ framework, id }: Pick<App, 'framework' | 'id'>): AppKey {
  return [framework, id].join(' ');
}

/** The key of a source's row of an app. */
export function rowKey(key: AppKey, fromTasks: boolean): RowKey {
  return `${fromTasks ? 'tasks' : 'app'} ${key}`;
}

/** The key of an app's row. */
export function rowOf(app: Pick<App, 'framework' | 'id' | 'fromTasks'>): RowKey {
  return rowKey(appKey(app), app.fromTasks === true);
}
