import type {
  MarathonPod,
  MarathonPodContainerStatus,
  MarathonPodInstance,
  MarathonPodStatus,
} from '../../input/marathon-json.ts';
import type { App, Placement, Port, Task } from '../../model/app.ts';
import { placeOf } from '../../model/place.ts';
import { PortBudget } from '../backend-bound.ts';
import { addressesOn, namesByOrder, onNetworks, type TaskNetworks } from './networks.ts';
import {
  type AgentAddress,
  type Conversion,
  locationOf,
  onAgent,
  onContainer,
  servedBy,
  type Versioned,
} from './placement.ts';
import { asRead, protocolList, textLabels } from './ports.ts';
import { containerHealth, stateOf } from './states.ts';
import { didYouMeanPlace, meantPlace, nullLabels, strayLabels, wrongPlace } from './stray-labels.ts';
import { type KeptPlaces, keptPlaces, placeOrLast } from './unread-places.ts';

/** An endpoint of a pod's container, and the names that match it with its status. */
interface PodEndpoint {
  readonly port: Port;
  readonly container: string;
  /** Matches definition and status: Marathon lists the status in another order. */
  readonly name: string;
  readonly containerPort: number;
  /** Only addresses on these networks count; empty for all networks. */
  readonly networkNames: readonly string[];
}

/** What one version of a pod declares. */
export interface PodDefinition {
  readonly ports: readonly PodEndpoint[];
  /** The names of the pod's networks, in order; null for a network without a name. */
  readonly networks: readonly (string | null)[];
}

/**
 * Reads the endpoints of a pod's definition. Each `at` is a path in the definition, not in the status that contains it.
 */
export function definePod(pod: Omit<MarathonPod, 'id'>, unread = pod.unread): PodDefinition {
  const network = pod.networks?.[0];
  const mode = network ? (network.mode ?? 'container') : 'host';
  const ports: PodEndpoint[] = [];
  for (const [c, { name: container, endpoints }] of (pod.containers ?? []).entries()) {
    for (const [e, endpoint] of (endpoints ?? []).entries()) {
      const { hostPort } = endpoint;
      // Except in container mode, Marathon treats a missing hostPort as 0, which means: allocate one.
      const onHost = mode !== 'container' || (hostPort !== null && hostPort !== undefined);
      ports.push({
        port: asRead(
          {
            at: `containers[${c}].endpoints[${e}]`,
            protocols: protocolList(endpoint.protocol, NO_PROTOCOL),
            labels: textLabels(endpoint.labels),
            mode,
            backendAddress: onHost ? 'agent' : 'container',
            container,
          },
          unread,
        ),
        container,
        name: endpoint.name ?? '',
        containerPort: endpoint.containerPort ?? 0,
        networkNames: endpoint.networkNames ?? [],
      });
    }
  }
  return { ports, networks: (pod.networks ?? []).map(({ name }) => name || null) };
}

/** Marathon creates one discovery port per protocol, so an endpoint without a protocol has none. */
const NO_PROTOCOL: readonly string[] = [];

/**
 * Converts a pod's status to an `App`: each container of each instance is a task with its own health, as in DC/OS. Its
 * ports are those of the version that its instance runs.
 */
export function convertPod(pod: MarathonPodStatus, conversion: Conversion<PodDefinition>): App {
  const newest = definePod(pod.spec, pod.unread);
  const warnings = [...labelWarnings(pod, newest)];
  const ids = new Set<string>();
  const tasks: Task[] = [];
  const budget = new PortBudget<PodEndpoint>(placesIn(pod.instances ?? []));
  const places = keptPlaces(pod.unread?.places, conversion.previous);
  for (const instance of pod.instances ?? []) {
    const placed = placeOf({ region: instance.agentRegion, zone: instance.agentZone });
    const addresses = addressesOf(instance);
    const add = (task: Task) =>
      tasks.push({
        ...task,
        ...(placed !== undefined && { place: placed }),
        ...locationOf(instance.agentHostname, addresses, task.ports, conversion.agentAddress),
      });
    for (const container of instance.containers ?? []) {
      const id = taskId(instance, container, ids);
      const context = { conversion, budget, kept: places.get(id) };
      const task = convertContainer(id, container, instance, newest, context, warnings);
      budget.add(task.ports);
      add(task);
    }
    // An instance's agent and addresses are known before its containers.
    const isPlaced = Boolean(instance.agentHostname) || addresses.length > 0;
    if (isPlaced && (instance.containers ?? []).length === 0)
      add({ id: instance.id, state: 'staging', health: 'unchecked', ports: [] });
  }
  const ports = newest.ports.map(({ port }) => port);
  return {
    id: pod.id,
    kind: 'pod',
    framework: conversion.framework,
    ports,
    tasks,
    rejected: [],
    warnings,
  };
}

function placesIn(instances: readonly MarathonPodInstance[]): number {
  return instances.reduce((sum, instance) => sum + Math.max(addressesOf(instance).length, 1), 0);
}

function addressesOf({ networks }: MarathonPodInstance): readonly string[] {
  return (networks ?? []).flatMap(({ addresses }) => addresses ?? []);
}

/** Warns of VIP labels of a pod that have no effect because they are null or not on an endpoint. */
export function labelWarnings(
  { spec, foundLabels }: Pick<MarathonPodStatus, 'spec' | 'foundLabels'>,
  { ports }: PodDefinition,
): readonly string[] {
  const containers = spec.containers ?? [];
  const stray = strayLabels(foundLabels, {
    ports: new Set(ports.map(({ port }) => port.at)),
    reason: (label) => {
      const meant = meantPlace(label.parent, [LABELS_OF_ENDPOINTS]);
      return meant === null
        ? wrongPlace(label, `on an endpoint, ${LABELS_OF_ENDPOINTS}`)
        : didYouMeanPlace(meant);
    },
  });
  return [
    ...nullLabels(containers.map(({ endpoints }, c) => [`containers[${c}].endpoints`, endpoints])),
    ...stray,
  ];
}

const LABELS_OF_ENDPOINTS = 'containers[].endpoints[].labels';

/** The version that an instance runs, from `/v2/pods/pod::versions/<version>`; undefined when unknown. */
export function instanceVersion({ specReference }: MarathonPodInstance): string | undefined {
  return specReference?.split('::versions/')[1] || undefined;
}

/** Marathon's containerId is the task id. If containers share one, instance id and container name are used instead. */
function taskId(
  instance: MarathonPodInstance,
  container: MarathonPodContainerStatus,
  ids: Set<string>,
): string {
  const given = container.containerId || `${instance.id}.${container.name}`;
  const id = ids.has(given) ? `${instance.id}.${container.name}` : given;
  ids.add(id);
  return id;
}

interface ContainerContext {
  conversion: Conversion<PodDefinition>;
  budget: PortBudget<PodEndpoint>;
  /** Where the container was last reached, if something of that cannot be read now. */
  kept: KeptPlaces | undefined;
}

function convertContainer(
  id: string,
  container: MarathonPodContainerStatus,
  instance: MarathonPodInstance,
  newest: PodDefinition,
  { conversion, budget, kept }: ContainerContext,
  warnings: string[],
): Task {
  const state = stateOf(container.status);
  const versioned: Versioned<PodDefinition, PodEndpoint> = {
    ...{ id, version: instanceVersion(instance), state },
    portsIn: ({ ports }) => budget.portsOf(ports).filter((endpoint) => endpoint.container === container.name),
    place: (endpoint, definition) => {
      const networks = networksOf(instance, definition);
      const placed = (hostPort?: number) =>
        place(endpoint, container, instance, networks, conversion.agentAddress, hostPort);
      const name = endpoint.port.backendAddress === 'agent' ? endpoint.name : null;
      return kept === undefined ? placed() : placeOrLast(endpoint.port, name, kept, placed);
    },
  };
  const { ports } = servedBy(versioned, newest, conversion, warnings);
  return { id, state, health: containerHealth(container.conditions), ports };
}

function networksOf({ networks }: MarathonPodInstance, definition: PodDefinition): TaskNetworks {
  const list = (networks ?? []).map(({ name, addresses }) => ({ name, addresses: addresses ?? [] }));
  const [first, second] = list;
  // One entry lists the addresses of all networks, in whatever order the containers reported them.
  if (first !== undefined && second === undefined && !first.name && definition.networks.length > 1)
    return {
      networks: definition.networks.map((name) => ({ name, addresses: [] })),
      unassigned: first.addresses,
    };
  return { networks: namesByOrder(list, definition.networks), unassigned: [] };
}

function place(
  { port, name, containerPort, networkNames }: PodEndpoint,
  container: MarathonPodContainerStatus,
  instance: MarathonPodInstance,
  networks: TaskNetworks,
  agentAddress: AgentAddress,
  hostPort = container.endpoints?.find((endpoint) => endpoint.name === name)?.allocatedHostPort,
): Placement {
  const choice = addressesOn(networkNames, networks);
  if (port.backendAddress === 'container')
    return onNetworks(choice, (addresses) => onContainer(addresses, containerPort));
  const behind = port.mode === 'host' ? undefined : { addresses: choice.addresses, port: containerPort };
  return onAgent(instance.agentHostname, hostPort, agentAddress, behind);
}
