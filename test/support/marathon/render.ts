/** Apps, pods and the group tree as the API answers them. */

import type { Entry } from './catalogue.ts';
import { healthy, type Instance, live, ready, servicePorts, type Task, taskJson } from './instance.ts';
import { type JsonObject, objectsAt, stringAt } from './json.ts';
import type { Operations } from './operations.ts';

/** What is embedded in an app: `tasks`, `deployments`, `counts`, `lastTaskFailure`, … */
export type Embed = ReadonlySet<string>;

export function appJson(operations: Operations, entry: Entry, embed: Embed): JsonObject {
  const instances = operations.scheduler.instancesOf(entry.id);
  const tasks = instances.flatMap((instance) => instance.tasks.map((task) => ({ instance, task })));
  return {
    ...appVersionJson(entry, entry.version),
    ...(embed.has('counts') ? countsJson(tasks.map(({ task }) => task)) : {}),
    ...(embed.has('deployments')
      ? { deployments: operations.deployments.idsFor(entry.id).map((id) => ({ id })) }
      : {}),
    ...(embed.has('tasks') ? { tasks: tasks.map(({ instance, task }) => taskJson(instance, task)) } : {}),
    ...(embed.has('readiness') ? { readinessCheckResults: [] } : {}),
  };
}

/** The definition of one version, or undefined where it is gone. */
export function appVersionJson(entry: Entry, version: string): JsonObject | undefined {
  const definition = entry.versions.get(version);
  if (!definition) return undefined;
  return {
    ...definition,
    version,
    versionInfo: { lastScalingAt: entry.scalingVersion, lastConfigChangeAt: entry.configVersion },
  };
}

export function podVersionJson(entry: Entry, version: string): JsonObject | undefined {
  const definition = entry.versions.get(version);
  return definition && { ...definition, version };
}

export function tasksJson(operations: Operations, state: string | null): readonly JsonObject[] {
  const wanted = state === null ? null : `TASK_${state.toUpperCase()}`;
  return [...operations.scheduler.allTasks()]
    .filter(
      ({ instance, task }) => instance.spec.kind === 'app' && (wanted === null || task.state === wanted),
    )
    .map(({ instance, task }) => ({ ...taskJson(instance, task), servicePorts: servicePorts(task) }));
}

/** `app<TAB>servicePort<TAB>host:port…`, a line for each service port. */
export function tasksText(operations: Operations): string {
  return operations.catalogue
    .list('app')
    .map((entry) => appTasksText(operations, entry.id))
    .join('');
}

function appTasksText(operations: Operations, id: string): string {
  const tasks = operations.scheduler
    .instancesOf(id)
    .flatMap((instance) =>
      instance.tasks.filter((task) => task.state === 'TASK_RUNNING').map((task) => ({ instance, task })),
    );
  const [first] = tasks;
  if (!first) return '';
  return servicePorts(first.task)
    .map((port, index) => {
      const hosts = tasks.map(
        ({ instance, task }) => `${instance.agent.hostname}:${task.hostPorts[index] ?? 0}`,
      );
      return `${id.slice(1).replaceAll('/', '_')}\t${port}\t${hosts.join('\t')}\n`;
    })
    .join('');
}

export function podStatusJson(operations: Operations, entry: Entry): JsonObject {
  const instances = operations.scheduler.instancesOf(entry.id);
  const wanted = instances.filter(ready).length >= instances.length ? 'STABLE' : 'DEGRADED';
  return {
    id: entry.id,
    spec: podVersionJson(entry, entry.version),
    status: wanted,
    statusSince: entry.version,
    instances: instances.map(podInstanceJson),
    terminationHistory: [],
    lastUpdated: new Date().toISOString(),
    lastChanged: entry.version,
  };
}

function podInstanceJson(instance: Instance): JsonObject {
  const { spec, agent, tasks } = instance;
  const addresses = tasks.flatMap((task) => (task.state === 'TASK_STAGING' ? [] : task.ipAddresses));
  const unique = [...new Set(addresses.map(({ ipAddress }) => ipAddress))];
  const networks = spec.mode === 'host' ? [{ addresses: unique }] : namedNetworks(spec.networkNames, unique);
  return {
    id: instance.id,
    status: ready(instance)
      ? 'STABLE'
      : tasks.some((task) => task.state === 'TASK_STAGING')
        ? 'STAGING'
        : 'DEGRADED',
    statusSince: instance.stagedAt,
    conditions: [],
    agentHostname: agent.hostname,
    agentId: agent.id,
    networks,
    containers: tasks.map((task) => podContainerJson(instance, task)),
    specReference: `/v2/pods${spec.id}::versions/${spec.version}`,
    lastUpdated: instance.stagedAt,
    lastChanged: instance.stagedAt,
  };
}

function namedNetworks(names: readonly string[], addresses: readonly string[]): readonly JsonObject[] {
  if (names.length === 0) return [{ addresses }];
  return names.map((name, index) => ({
    name,
    addresses: addresses.filter((_, at) => at % names.length === index),
  }));
}

function podContainerJson(instance: Instance, task: Task): JsonObject {
  const state = healthy(task);
  const reported = task.health.size > 0;
  const endpoints = task.container.ports.map((port, index) => ({
    name: port.name,
    ...(task.hostPorts[index] == null ? {} : { allocatedHostPort: task.hostPorts[index] }),
    ...(state === null || !reported ? {} : { healthy: state }),
  }));
  const condition = {
    name: 'healthy',
    value: String(state === true),
    reason: reported ? 'health-reported-by-mesos' : 'health-unreported-by-mesos',
    lastUpdated: instance.stagedAt,
    lastChanged: instance.stagedAt,
  };
  return {
    name: task.container.name,
    status: task.state,
    statusSince: task.startedAt ?? instance.stagedAt,
    conditions: state === null || task.startedAt === null ? [] : [condition],
    containerId: `${instance.id}.${task.container.name}`,
    // Listed only while the task is active, those with a host port first.
    endpoints: live(task)
      ? endpoints.toSorted(
          (a, b) => Number(!('allocatedHostPort' in a)) - Number(!('allocatedHostPort' in b)),
        )
      : [],
    resources: { cpus: 0.1, mem: 32, disk: 0, gpus: 0 },
    lastUpdated: instance.stagedAt,
    lastChanged: instance.stagedAt,
  };
}

/** The tree of groups from the ids of apps and pods, as `GET /v2/groups` gives it. */
export function groupJson(operations: Operations, id: string, embed: Embed): JsonObject {
  const version = operations.catalogue.list('app').at(-1)?.version ?? new Date(0).toISOString();
  const apps = operations.catalogue.list('app');
  const pods = operations.catalogue.list('pod');
  return groupNode(id);

  function groupNode(groupId: string): JsonObject {
    const children = new Set([...apps, ...pods].flatMap((entry) => childGroup(entry.id, groupId) ?? []));
    return {
      id: groupId,
      apps: apps
        .filter((entry) => parentOf(entry.id) === groupId)
        .map((entry) => appJson(operations, entry, embed)),
      groups: [...children].sort().map(groupNode),
      pods: pods
        .filter((entry) => parentOf(entry.id) === groupId)
        .map((entry) => podStatusJson(operations, entry)),
      dependencies: [],
      version,
    };
  }
}

/** All apps below a group that a request gives, with absolute ids. */
export function appsOfGroup(group: JsonObject, parent = ''): readonly JsonObject[] {
  const path = below(parent, stringAt(group, 'id') ?? '/');
  return [
    ...objectsAt(group, 'apps').map((app) => ({ ...app, id: below(path, stringAt(app, 'id') ?? '') })),
    ...objectsAt(group, 'groups').flatMap((child) => appsOfGroup(child, path)),
  ];
}

function below(parent: string, id: string): string {
  return id.startsWith('/') ? id : `${parent === '/' ? '' : parent}/${id}`;
}

function parentOf(id: string): string {
  return id.slice(0, id.lastIndexOf('/')) || '/';
}

/** The group directly below `groupId` that leads to `id`; undefined where `id` stands in it or elsewhere. */
function childGroup(id: string, groupId: string): string | undefined {
  const prefix = groupId === '/' ? '/' : `${groupId}/`;
  if (!id.startsWith(prefix)) return undefined;
  const end = id.indexOf('/', prefix.length);
  return end < 0 ? undefined : id.slice(0, end);
}

function countsJson(tasks: readonly Task[]): JsonObject {
  const results = tasks.map((task) => [...task.health.values()]);
  return {
    tasksStaged: tasks.filter(({ state }) => state === 'TASK_STAGING' || state === 'TASK_STARTING').length,
    tasksRunning: tasks.filter(({ state }) => state === 'TASK_RUNNING').length,
    tasksHealthy: results.filter((checks) => checks.length > 0 && checks.every(({ alive }) => alive)).length,
    tasksUnhealthy: results.filter((checks) => checks.some(({ alive }) => !alive)).length,
  };
}
