import type { MarathonApp, MarathonTask } from '../../input/marathon-json.ts';
import type { App, Placement, Task } from '../../model/app.ts';
import { placeOf } from '../../model/place.ts';
import { PortBudget } from '../backend-bound.ts';
import { addressesOn, networksByOrder, onNetworks, type TaskNetworks } from './networks.ts';
import {
  type AgentAddress,
  type Conversion,
  locationOf,
  onAgent,
  onContainer,
  servedBy,
  type Versioned,
} from './placement.ts';
import { type AppDefinition, defineApp, type PlacedPort } from './ports.ts';
import { stateOf, taskHealth } from './states.ts';
import { type KeptPlaces, keptPlaces, placedBy, placeOrLast } from './unread-places.ts';

/**
 * Converts an app's JSON with its embedded tasks to an `App`.
 *
 * A task's ports, labels and health checks are those of the version that it runs: Marathon allocated its host ports for
 * that version, and DC/OS fixed the labels at launch.
 */
export function convertApp(app: MarathonApp, conversion: Conversion<AppDefinition>): App {
  const newest = conversion.newest ?? defineApp(app);
  const warnings = [...newest.warnings];
  const places = keptPlaces(app.unread?.places, conversion.previous);
  const budget = new PortBudget<PlacedPort>(placesIn(app.tasks ?? []));
  const tasks = (app.tasks ?? []).map((task): Task => {
    const kept = places.get(task.id);
    const converted = convertTask(task, newest, { conversion, budget, kept }, warnings);
    budget.add(converted.ports);
    const addresses = [...addressesOf(task), ...addressesBefore(kept)];
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

interface TaskContext {
  conversion: Conversion<AppDefinition>;
  budget: PortBudget<PlacedPort>;
  /** Where the task was last reached, if something of that cannot be read now. */
  kept: KeptPlaces | undefined;
}

function convertTask(
  task: MarathonTask,
  newest: AppDefinition,
  { conversion, budget, kept }: TaskContext,
  warnings: string[],
): Task {
  const { id, version } = task;
  const state = stateOf(task.state, task.startedAt);
  const readable = placedBy(task, kept);
  const versioned: Versioned<AppDefinition, PlacedPort> = {
    ...{ id, version, state },
    portsIn: ({ ports }) => budget.portsOf(ports),
    place: (port, definition) => {
      const placed = (hostPort?: number) =>
        place(port, readable, networksOf(readable, definition), conversion.agentAddress, hostPort);
      const index = port.reach.by === 'host port' ? port.reach.index : null;
      return kept === undefined ? placed() : placeOrLast(port.port, index, kept, placed);
    },
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
  hostPort?: number,
): Placement {
  const choice = addressesOn(networkNames, networks);
  if (reach.by === 'container port')
    return onNetworks(choice, (addresses) => onContainer(addresses, reach.containerPort));
  const { index, containerPort } = reach;
  const behind =
    containerPort === undefined ? undefined : { addresses: choice.addresses, port: containerPort };
  return onAgent(task.host, hostPort ?? task.ports?.[index], agentAddress, behind);
}

function placesIn(tasks: readonly MarathonTask[]): number {
  return tasks.reduce((sum, { ipAddresses }) => sum + Math.max(ipAddresses?.length ?? 0, 1), 0);
}

function addressesOf({ ipAddresses }: MarathonTask): readonly (string | null | undefined)[] {
  return (ipAddresses ?? []).map((entry) => entry?.ipAddress);
}

/** No VIP may take an address of a task because it cannot be read this time. */
function addressesBefore(kept: KeptPlaces | undefined): readonly string[] {
  return kept?.unread.addresses ? (kept.before?.addresses ?? []) : [];
}
