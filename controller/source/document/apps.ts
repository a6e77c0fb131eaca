import type { MarathonApp, MarathonTask } from '../../marathon-json.ts';
import type { App, Task, TaskPort, TaskState } from '../../model.ts';
import { placeOf } from '../../place.ts';
import { type Conversion, servedBy } from './conversion.ts';
import { addressesOn, networksByOrder, onNetworks, type TaskNetworks } from './networks.ts';
import { type AgentAddress, nowhere, onAgent, onContainer, taskPort } from './placement.ts';
import { type AppDefinition, defineApp, type PlacedPort } from './ports.ts';
import { stateOf, taskHealth } from './states.ts';
import { whereaboutsOf } from './whereabouts.ts';

/**
 * An app's JSON with its embedded tasks, as the model's `App`.
 *
 * A task's ports, labels and health checks are those of the version that it runs: Marathon allocated its host
 * ports for that one, and DC/OS froze the labels at launch.
 */
export function convertApp(app: MarathonApp, conversion: Conversion<AppDefinition>): App {
  const newest = conversion.newest ?? defineApp(app);
  const warnings = [...newest.warnings];
  const tasks = (app.tasks ?? []).map((task): Task => {
    const converted = convertTask(task, newest, conversion, warnings);
    const addresses = addressesOf(task);
    const place = placeOf({ region: task.region, zone: task.zone });
    return {
      ...converted,
      ...(place !== undefined && { place }),
      ...whereaboutsOf(task.host, addresses, converted.ports, conversion.agentAddress),
    };
  });
  return {
    id: app.id,
    kind: 'app',
    framework: conversion.framework,
    ports: newest.ports.map(({ port }) => port),
    tasks,
    rejected: newest.rejected,
    warnings,
  };
}

/**
 * Whether this task runs an older configuration than the app's newest. Scaling makes a new version of the app
 * but leaves `versionInfo.lastConfigChangeAt` (Marathon's TaskStatsByVersion compares the same way). Versions
 * are times in one fixed form, which sorts as text.
 */
export function isOutdated(task: MarathonTask, app: MarathonApp): boolean {
  if (!task.version) return false;
  const changedAt = app.versionInfo?.lastConfigChangeAt;
  if (changedAt) return task.version < changedAt;
  return Boolean(app.version) && task.version !== app.version;
}

function convertTask(
  task: MarathonTask,
  newest: AppDefinition,
  conversion: Conversion<AppDefinition>,
  warnings: string[],
): Task {
  const { id, version, healthCheckResults: results } = task;
  const state = stateOf(task.state, task.startedAt);
  const served = servedBy({ id, version }, newest, conversion);

  switch (served.by) {
    case 'definition': {
      const { ports, checked } = served.definition;
      if (served.warning !== undefined) warnings.push(served.warning);
      const networks = networksOf(task, served.definition);
      const placed = ports.map((port) => place(port, task, networks, state, conversion.agentAddress));
      return { id, state, health: taskHealth(results, checked), ports: placed };
    }
    case 'last conversion': {
      const { ports, health } = served.task;
      return { id, state, health: taskHealth(results, health !== 'unchecked'), ports };
    }
    case 'nothing': {
      const ports = newest.ports.map(({ port }) => taskPort(port, nowhere(served.reason), state));
      return { id, state, health: taskHealth(results, newest.checked), ports };
    }
  }
}

/** Marathon lists a task's addresses in the order of the app's networks, without their names. */
function networksOf({ ipAddresses }: MarathonTask, { networks }: AppDefinition): TaskNetworks {
  return networksByOrder(
    networks,
    (ipAddresses ?? []).flatMap((entry) => entry?.ipAddress ?? []),
  );
}

function place(
  { port, reach, networkNames }: PlacedPort,
  task: MarathonTask,
  networks: TaskNetworks,
  state: TaskState,
  agentAddress: AgentAddress,
): TaskPort {
  const choice = addressesOn(networkNames, networks);
  if (reach.by === 'host port') {
    const { index, containerPort } = reach;
    const behind =
      containerPort === undefined ? undefined : { addresses: choice.addresses, port: containerPort };
    return taskPort(port, onAgent(task.host, task.ports?.[index], agentAddress, behind), state);
  }
  return taskPort(
    port,
    onNetworks(choice, (addresses) => onContainer(addresses, reach.containerPort)),
    state,
  );
}

function addressesOf({ ipAddresses }: MarathonTask): readonly (string | null | undefined)[] {
  return (ipAddresses ?? []).map((entry) => entry?.ipAddress);
}
