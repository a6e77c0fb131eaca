import type { MarathonApp, MarathonTask } from '../../marathon-json.ts';
import type { App, Task } from '../../model.ts';
import { placeOf } from '../../place.ts';
import { addressesOn, networksByOrder, onNetworks, type TaskNetworks } from './networks.ts';
import {
  type AgentAddress,
  type Conversion,
  locationOf,
  onAgent,
  onContainer,
  type Placement,
  servedBy,
  type Versioned,
} from './placement.ts';
import { type AppDefinition, defineApp, type PlacedPort } from './ports.ts';
import { stateOf, taskHealth } from './states.ts';

/**
 * Converts an app's JSON with its embedded tasks to an `App`.
 *
 * A task's ports, labels and health checks are those of the version that it runs: Marathon allocated its host ports for
 * that version, and DC/OS fixed the labels at launch.
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
      ...locationOf(task.host, addresses, converted.ports, conversion.agentAddress),
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
 * Whether this task runs an older configuration than the app's newest. Scaling creates a new version of the app but
 * keeps `versionInfo.lastConfigChangeAt` (Marathon's TaskStatsByVersion compares in the same way). Versions are
 * timestamps in a fixed format that sorts as text.
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
  const { id, version } = task;
  const state = stateOf(task.state, task.startedAt);
  const versioned: Versioned<AppDefinition, PlacedPort> = {
    ...{ id, version, state },
    portsIn: ({ ports }) => ports,
    place: (port, definition) => place(port, task, networksOf(task, definition), conversion.agentAddress),
  };
  const served = servedBy(versioned, newest, conversion, warnings);
  const checked = 'known' in served ? served.known.health !== 'unchecked' : served.definition.checked;
  return { id, state, health: taskHealth(task.healthCheckResults, checked), ports: served.ports };
}

/** Marathon lists a task's addresses in the order of the app's networks, without network names. */
function networksOf({ ipAddresses }: MarathonTask, { networks }: AppDefinition): TaskNetworks {
  return networksByOrder(
    networks,
    (ipAddresses ?? []).flatMap((entry) => entry?.ipAddress ?? []),
  );
}

function place(
  { reach, networkNames }: PlacedPort,
  task: MarathonTask,
  networks: TaskNetworks,
  agentAddress: AgentAddress,
): Placement {
  const choice = addressesOn(networkNames, networks);
  if (reach.by === 'container port')
    return onNetworks(choice, (addresses) => onContainer(addresses, reach.containerPort));
  const { index, containerPort } = reach;
  const behind =
    containerPort === undefined ? undefined : { addresses: choice.addresses, port: containerPort };
  return onAgent(task.host, task.ports?.[index], agentAddress, behind);
}

function addressesOf({ ipAddresses }: MarathonTask): readonly (string | null | undefined)[] {
  return (ipAddresses ?? []).map((entry) => entry?.ipAddress);
}
