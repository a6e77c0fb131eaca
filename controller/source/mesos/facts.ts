import type { Health, TaskState } from '../../model.ts';
import { stateOf } from '../document/states.ts';
import { isTaskLabel } from '../document/task-labels.ts';
import type { MesosLabels, MesosPortMapping, MesosStatus, MesosTask } from './schema.ts';

/** Everything about a task that its own data says: without the address of its agent and the name of its framework. */
export interface TaskFacts {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  /** What Mesos-DNS calls it: the discovery name, else the task's own. */
  readonly name: string;
  /** Name of the container where the task is one of a pod. */
  readonly container?: string;
  readonly state: TaskState;
  readonly health: Health;
  /** Its own addresses in the order of its networks; those of its agent on the host network. Empty while not known. */
  readonly addresses: readonly string[];
  readonly ports: readonly DiscoveryPort[];
  readonly mappings: readonly MesosPortMapping[];
  /** Ranges of allocated host ports, as `[first, last]`. */
  readonly hostPorts: readonly (readonly [number, number])[];
  /** Those that may make VIPs: of the others a task can have many kilobytes, for as long as it runs. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of its first status, in seconds since the epoch; null while it has none. */
  readonly since: number | null;
}

export interface DiscoveryPort {
  /** Index in the task's list, in which ports with number 0 count too. */
  readonly index: number;
  readonly number: number;
  readonly protocol: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a task's JSON says. Its newest status is the one with the greatest timestamp. */
export function factsOf(task: MesosTask): TaskFacts {
  const statuses = [...(task.statuses ?? [])].sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0));
  const facts: TaskFacts = {
    id: task.task_id.value,
    frameworkId: task.framework_id.value,
    agentId: task.agent_id.value,
    name: task.discovery?.name || task.name || '',
    ...(isPod(task) && task.name && { container: task.name }),
    state: mesosState(task.state),
    health: task.health_check === null || task.health_check === undefined ? 'unchecked' : 'unknown',
    addresses: [],
    ports: discoveryPorts(task),
    mappings: ownMappings(task),
    hostPorts: hostPorts(task),
    labels: labelsOf(task.labels, isTaskLabel),
    since: null,
  };
  return statuses.reduce(withStatus, facts);
}

/**
 * The task after an event `TASK_UPDATED`. `state` is the newest one that the agent knows; `status` is the last that the
 * scheduler has acknowledged, may be older, and has no name, ports or labels (DCOS_OSS-3539).
 */
export function updated(facts: TaskFacts, state: string, status: MesosStatus | undefined): TaskFacts {
  const known = status === undefined ? facts : withStatus(facts, status);
  return { ...known, state: mesosState(state) };
}

/** TASK_UNKNOWN is what a master says of a task that an agent it lost may still run. */
export function mesosState(state: string): TaskState {
  return state.toUpperCase() === 'TASK_UNKNOWN' ? 'unreachable' : stateOf(state);
}

/** What a later status lacks stays what it was. */
function withStatus(facts: TaskFacts, status: MesosStatus): TaskFacts {
  const networks = status.container_status?.network_infos ?? [];
  const addresses = networks.flatMap(({ ip_addresses }) =>
    (ip_addresses ?? []).flatMap(({ ip_address }) => (ip_address ? [ip_address] : [])),
  );
  const mappings = networks.flatMap(({ port_mappings }) => port_mappings ?? []);
  const { healthy } = status;
  return {
    ...facts,
    ...(addresses.length > 0 && { addresses }),
    // Containers of a pod have their mappings here only; those of a task's own definition are not said again.
    ...(mappings.length > 0 && { mappings }),
    ...(healthy !== null && healthy !== undefined && { health: healthy ? 'healthy' : 'unhealthy' }),
    since: facts.since ?? status.timestamp ?? null,
  };
}

/** Marathon gives every instance of a pod an executor of its own, `instance-<pod>.<uuid>`. */
function isPod({ executor_id }: MesosTask): boolean {
  return executor_id?.value?.startsWith('instance-') ?? false;
}

function discoveryPorts({ discovery }: MesosTask): readonly DiscoveryPort[] {
  return (discovery?.ports?.ports ?? []).flatMap(({ number, protocol, labels }, index) =>
    // Number 0: the container listens on none that its definition knows of.
    number === 0 ? [] : [{ index, number, protocol: protocol || null, labels: labelsOf(labels) }],
  );
}

function ownMappings({ container }: MesosTask): readonly MesosPortMapping[] {
  if (!container) return [];
  const docker = container.docker?.port_mappings ?? [];
  return docker.length > 0
    ? docker
    : (container.network_infos ?? []).flatMap((info) => info.port_mappings ?? []);
}

function hostPorts({ resources }: MesosTask): readonly (readonly [number, number])[] {
  return (resources ?? [])
    .filter(({ name }) => name === 'ports')
    .flatMap(({ ranges }) => (ranges?.range ?? []).map(({ begin, end }) => [begin, end] as const));
}

function labelsOf(
  list: MesosLabels,
  wanted: (key: string) => boolean = () => true,
): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const { key, value } of list?.labels ?? []) if (wanted(key)) labels[key] = value ?? '';
  return labels;
}
