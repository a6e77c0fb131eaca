import type {
  MarathonPod,
  MarathonPodContainerStatus,
  MarathonPodInstance,
  MarathonPodStatus,
} from '../../input/marathon-json.ts';
import type { App, Port } from '../../model/app.ts';
import { placeOf } from '../../model/place.ts';
import { type Conversion, convertReported, type ReportedTask } from './apps.ts';
import { namesByOrder, type TaskNetworks } from './networks.ts';
import { asRead, type DeclaredPort, type Definition, protocolList, textLabels } from './ports.ts';
import { containerHealth, stateOf } from './states.ts';
import { didYouMeanPlace, meantPlace, nullLabels, strayLabels, wrongPlace } from './stray-labels.ts';

/**
 * Reads the endpoints of a pod's definition, and warns of its VIP labels that have no effect. Each `at` is a path in the
 * definition, not in the status that contains it.
 */
export function definePod(
  pod: Omit<MarathonPod, 'id'>,
  { unread, foundLabels }: Pick<MarathonPod, 'unread' | 'foundLabels'> = pod,
): Definition {
  const network = pod.networks?.[0];
  const mode = network ? (network.mode ?? 'container') : 'host';
  const ports = (pod.containers ?? []).flatMap(({ name, endpoints }, c) =>
    (endpoints ?? []).map((endpoint, e): DeclaredPort => {
      const declared = declaredPort(endpoint, `containers[${c}].endpoints[${e}]`, name, mode);
      return { ...declared, port: asRead(declared.port, unread) };
    }),
  );
  return {
    ports,
    networks: (pod.networks ?? []).map(({ name }) => name || null),
    // The status of a container says whether it has one.
    checked: false,
    rejected: [],
    warnings: labelWarnings(pod, foundLabels, ports),
  };
}

type Endpoint = NonNullable<NonNullable<MarathonPod['containers']>[number]['endpoints']>[number];

function declaredPort(
  { name, protocol, labels, hostPort, networkNames, ...endpoint }: Endpoint,
  at: string,
  container: string,
  mode: Port['mode'],
): DeclaredPort {
  const containerPort = endpoint.containerPort ?? 0;
  // Except in container mode, Marathon treats a missing hostPort as 0, which means: allocate one.
  const onHost = mode !== 'container' || (hostPort !== null && hostPort !== undefined);
  const protocols = protocolList(protocol, NO_PROTOCOL);
  const backendAddress = onHost ? 'agent' : 'container';
  return {
    port: { at, protocols, labels: textLabels(labels), mode, backendAddress, container },
    name: name || null,
    containerPort: containerPort || null,
    // Found by name: Marathon lists the status in another order.
    reach: onHost
      ? { by: 'host port', index: name ?? '', ...(mode !== 'host' && { containerPort }) }
      : { by: 'container port', containerPort },
    networkNames: networkNames ?? [],
  };
}

/** Marathon creates one discovery port per protocol, so an endpoint without a protocol has none. */
const NO_PROTOCOL: readonly string[] = [];

/**
 * Converts a pod's status to an `App`: each container of each instance is a task with its own health, as in DC/OS. Its
 * ports are those of the version that its instance runs.
 */
export function convertPod(pod: MarathonPodStatus, conversion: Conversion): App {
  const { id, unread } = pod;
  const instances = pod.instances ?? [];
  const tasks = reportedTasks(instances);
  const addresses = instances.reduce((sum, instance) => sum + Math.max(addressesOf(instance).length, 1), 0);
  const newest = conversion.newest ?? definePod(pod.spec, pod);
  return convertReported({ id, kind: 'pod', tasks, addresses, unread }, newest, conversion);
}

function* reportedTasks(instances: readonly MarathonPodInstance[]): Generator<ReportedTask> {
  const ids = new Set<string>();
  for (const instance of instances) {
    const common = {
      version: instanceVersion(instance),
      host: instance.agentHostname,
      addresses: addressesOf(instance),
      place: placeOf({ region: instance.agentRegion, zone: instance.agentZone }),
      networksIn: (names: Definition['networks']) => networksOf(instance, names),
    };
    const containers = instance.containers ?? [];
    for (const container of containers)
      yield {
        ...common,
        id: taskId(instance, container, ids),
        state: stateOf(container.status),
        declares: (port) => port.container === container.name,
        hostPort: (name) => container.endpoints?.find((each) => each.name === name)?.allocatedHostPort,
        health: () => containerHealth(container.conditions),
      };
    // An instance's agent and addresses are known before its containers.
    const isPlaced = Boolean(instance.agentHostname) || common.addresses.length > 0;
    if (isPlaced && containers.length === 0)
      yield {
        ...common,
        ...{ id: instance.id, version: null, state: 'staging' },
        ...{ declares: () => false, hostPort: () => null, health: () => 'unchecked' },
      };
  }
}

function addressesOf({ networks }: MarathonPodInstance): readonly string[] {
  return (networks ?? []).flatMap(({ addresses }) => addresses ?? []);
}

/** Warns of VIP labels of a pod that have no effect because they are null or not on an endpoint. */
function labelWarnings(
  spec: Omit<MarathonPod, 'id'>,
  foundLabels: MarathonPod['foundLabels'],
  ports: readonly DeclaredPort[],
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

function networksOf({ networks }: MarathonPodInstance, names: Definition['networks']): TaskNetworks {
  const list = (networks ?? []).map(({ name, addresses }) => ({ name, addresses: addresses ?? [] }));
  const [first, second] = list;
  // One entry lists the addresses of all networks, in whatever order the containers reported them.
  if (first !== undefined && second === undefined && !first.name && names.length > 1)
    return { networks: names.map((name) => ({ name, addresses: [] })), unassigned: first.addresses };
  return { networks: namesByOrder(list, names), unassigned: [] };
}
