/** An instance of an app or a pod: where it is placed, its tasks, and the JSON in which tasks are answered. */

import { randomUUID } from 'node:crypto';
import type { Agent } from './agents.ts';
import type { JsonObject } from './json.ts';
import type { ContainerSpec, RunSpec } from './run-spec.ts';
import type { TaskProcess } from './task-process.ts';

export type TaskState =
  | 'TASK_STAGING'
  | 'TASK_STARTING'
  | 'TASK_RUNNING'
  | 'TASK_KILLING'
  | 'TASK_UNREACHABLE'
  | 'TASK_FINISHED'
  | 'TASK_FAILED'
  | 'TASK_KILLED'
  | 'TASK_ERROR'
  | 'TASK_GONE'
  | 'TASK_DROPPED'
  | 'TASK_LOST'
  | 'TASK_UNKNOWN';

const LIVE: readonly TaskState[] = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_UNREACHABLE',
];

export interface HealthResult {
  readonly alive: boolean;
  readonly consecutiveFailures: number;
  readonly firstSuccess: string | null;
  readonly lastSuccess: string | null;
  readonly lastFailure: string | null;
  readonly lastFailureCause: string | null;
  readonly instanceId: string;
}

export interface IpAddress {
  readonly ipAddress: string;
  readonly protocol: 'IPv4' | 'IPv6';
}

export interface Task {
  readonly id: string;
  readonly container: ContainerSpec;
  /** By index of its ports; null where a port has no host port. */
  readonly hostPorts: readonly (number | null)[];
  state: TaskState;
  ipAddresses: readonly IpAddress[];
  startedAt: string | null;
  /** One result for each check that has given any, by index of the check. */
  readonly health: Map<number, HealthResult>;
  process: TaskProcess | null;
}

export interface Instance {
  readonly id: string;
  readonly spec: RunSpec;
  readonly agent: Agent;
  readonly tasks: readonly Task[];
  readonly stagedAt: string;
  /** Set once it was asked to end: it counts no longer for what should run. */
  killing: boolean;
}

/** Takes ports on the agent and makes the instance, staging; null when the agent lacks a port. */
export function createInstance(spec: RunSpec, agent: Agent): Instance | null {
  const id = `${spec.id.slice(1).replaceAll('/', '_')}.instance-${randomUUID()}`;
  const taken: number[] = [];
  const tasks: Task[] = [];
  const addresses = containerAddresses(spec, agent);
  for (const [index, container] of spec.containers.entries()) {
    const hostPorts: (number | null)[] = [];
    for (const { hostPort } of container.ports) {
      const port = hostPort === null ? null : agent.takePort(hostPort);
      if (port === null && hostPort !== null) {
        agent.releasePorts(taken);
        return null;
      }
      if (port !== null) taken.push(port);
      hostPorts.push(port);
    }
    tasks.push({
      id: container.name === null ? `${id}._app.${index + 1}` : `${id}.${container.name}.1`,
      container,
      hostPorts,
      state: 'TASK_STAGING',
      ipAddresses: addresses,
      startedAt: null,
      health: new Map(),
      process: null,
    });
  }
  return { id, spec, agent, tasks, stagedAt: new Date().toISOString(), killing: false };
}

export function live(task: Task): boolean {
  return LIVE.includes(task.state);
}

/** Whether a deployment may count on it. */
export function ready(instance: Instance): boolean {
  return (
    !instance.killing &&
    instance.tasks.every((task) => task.state === 'TASK_RUNNING' && healthy(task) !== false)
  );
}

/** null: there is no check. A check without result is not healthy. */
export function healthy(task: Task): boolean | null {
  const checks = task.container.healthChecks.length;
  if (checks === 0) return null;
  return task.health.size === checks && [...task.health.values()].every(({ alive }) => alive);
}

export function allocatedPorts(task: Task): readonly number[] {
  return task.hostPorts.filter((port) => port !== null);
}

/** The environment that Marathon gives a task. */
export function taskEnvironment(instance: Instance, task: Task): Readonly<Record<string, string>> {
  const ports = task.hostPorts.map(
    (hostPort, index) => hostPort ?? task.container.ports[index]?.containerPort ?? 0,
  );
  return {
    ...task.container.env,
    HOST: instance.agent.hostname,
    MARATHON_APP_ID: instance.spec.id,
    MARATHON_APP_VERSION: instance.spec.version,
    MESOS_TASK_ID: task.id,
    PORTS: ports.join(','),
    ...(ports[0] === undefined ? {} : { PORT: String(ports[0]) }),
    ...Object.fromEntries(ports.map((port, index) => [`PORT${index}`, String(port)])),
  };
}

/** A task of an app as `GET /v2/apps/{id}/tasks` lists it; what is empty is left out, as Marathon does. */
export function taskJson(instance: Instance, task: Task): JsonObject {
  const ipAddresses = task.state === 'TASK_STAGING' ? [] : task.ipAddresses;
  return {
    id: task.id,
    appId: instance.spec.id,
    host: instance.agent.hostname,
    slaveId: instance.agent.id,
    state: task.state,
    ...(live(task)
      ? {
          ports: allocatedPorts(task),
          stagedAt: instance.stagedAt,
          ...(task.startedAt === null ? {} : { startedAt: task.startedAt }),
          version: instance.spec.version,
        }
      : {}),
    ...(ipAddresses.length > 0 ? { ipAddresses } : {}),
    ...(task.health.size > 0 ? { healthCheckResults: [...task.health.values()] } : {}),
    localVolumes: [],
    role: '*',
  };
}

export function servicePorts(task: Task): readonly number[] {
  return task.container.ports.map((port) => port.servicePort);
}

function containerAddresses(spec: RunSpec, agent: Agent): readonly IpAddress[] {
  if (spec.mode === 'host') return [{ ipAddress: agent.hostname, protocol: 'IPv4' }];
  if (spec.mode === 'container/bridge') return [{ ipAddress: agent.nextBridgeAddress(), protocol: 'IPv4' }];
  const networks = Math.max(1, spec.networkNames.length);
  return Array.from({ length: networks }, () => ({
    ipAddress: agent.nextOverlayAddress(),
    protocol: 'IPv4',
  }));
}
