import { shown } from '../../input/rejection.ts';
import type { App, Health, Rejection, Task, TaskState } from '../../model/app.ts';
import { namesByOrder, type TaskNetworks } from '../document/networks.ts';
import { stateOf, stateProblem } from '../document/states.ts';
import { isTaskLabel, type LabelPair, taskLabelVips } from '../document/task-labels.ts';
import { type DiscoveryPort, pairsOf, readDiscovery, strayTaskLabels } from './discovery.ts';
import type { Problem, Readable } from './readable.ts';
import type { MesosNetworkInfo, MesosPortMapping, MesosStatus, MesosTask } from './schema.ts';

/** The app that a task belongs to. */
export type AppIdentity = Pick<App, 'id' | 'kind' | 'labelsPerTask'>;

/** A task as it was saved before the start, and the app that it was in. */
export interface SavedTask extends Pick<App, 'framework'> {
  readonly app: AppIdentity;
  readonly task: Task;
}

/** Everything in a task's own data: without the address of its agent and the name of its framework. */
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
  /** The same addresses, by network. */
  readonly networks: TaskNetworks;
  /** Names of the networks that its container was to be on; empty where it does not name any. */
  readonly networkNames: readonly (string | null)[];
  readonly ports: readonly DiscoveryPort[];
  readonly mappings: readonly PortMapping[];
  /** Whether its definition lists which ports are mapped, so that those of a status do not count. */
  readonly definesMappings: boolean;
  /** Set where one of the mappings could not be read: a port that none of the others maps may have it. */
  readonly lacksMappings?: true | undefined;
  /** Ranges of allocated host ports, as `[first, last]`. */
  readonly hostPorts: readonly (readonly [number, number])[];
  /** Those that may make VIPs: of the others a task can have many kilobytes, for as long as it runs. */
  readonly labels: readonly LabelPair[];
  /** Of its first status, in seconds since the epoch; null while it has none. */
  readonly since: number | null;
  /** Of the status that its health is from, in seconds since the epoch; null when unknown. */
  readonly healthAt: number | null;
  /** What of its discovery data cannot be used; `at` is the path in the task. */
  readonly rejected: readonly Omit<Rejection, 'app'>[];
  readonly warnings: readonly string[];
  /** Fields of the task in which something could not be read; absent where there is none. */
  readonly unread?: ReadonlySet<string>;
  /** What it was before the start, where something of it could not be read since. */
  readonly saved?: SavedTask | undefined;
}

/** A mapping, and on which of the task's networks it is; absent where it is not known. */
export type PortMapping = MesosPortMapping & { readonly network?: string };

const NONE: ReadonlySet<string> = new Set();
const NO_NETWORKS: TaskNetworks = { networks: [], unassigned: [] };

/** All but the identity and the state of a task that could not be read. */
export const NOTHING_READ: Omit<TaskFacts, 'id' | 'frameworkId' | 'name' | 'state' | 'health'> = {
  agentId: '',
  addresses: [],
  networks: NO_NETWORKS,
  networkNames: [],
  ports: [],
  mappings: [],
  definesMappings: false,
  lacksMappings: true,
  hostPorts: [],
  labels: [],
  since: null,
  healthAt: null,
  rejected: [],
  warnings: [],
  unread: new Set(['name', 'executor_id', 'discovery', 'labels', 'resources', 'container']),
};

/** What was wrong with a task. */
type Wrong = Pick<Readable<unknown>, 'problems' | 'unread'>;

const NOTHING_WRONG: Wrong = { problems: [], unread: NONE };

/** Reads a task's JSON. Its newest status is the one with the greatest timestamp. */
export function factsOf(task: MesosTask, { problems, unread }: Wrong = NOTHING_WRONG): TaskFacts {
  const statuses = [...(task.statuses ?? [])].sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0));
  const mappings = ownMappings(task);
  const discovered = readDiscovery(task);
  const state = task.state || statuses.findLast((status) => status.state)?.state || '';
  const fields = new Set([...unread, ...(discovered.rejected.length > 0 ? ['discovery'] : [])]);
  const facts: TaskFacts = {
    id: task.task_id.value,
    frameworkId: task.framework_id.value,
    agentId: task.agent_id.value,
    name: task.discovery?.name || task.name || '',
    ...(isPod(task) && task.name && { container: task.name }),
    state: mesosState(state),
    health: verdictOf(statuses.at(-1) ?? {}) ?? (task.health_check ? 'unknown' : 'unchecked'),
    addresses: [],
    networks: NO_NETWORKS,
    networkNames: (task.container?.network_infos ?? []).map(({ name }) => name || null),
    ports: discovered.ports,
    mappings: mappings ?? [],
    definesMappings: mappings !== null,
    hostPorts: hostPorts(task),
    labels: pairsOf(task.labels).filter(({ key }) => isTaskLabel(key)),
    since: null,
    healthAt: statuses.at(-1)?.timestamp ?? null,
    ...(lacksMappings(problems, mappings !== null) && { lacksMappings: true }),
    rejected: [...problems, ...discovered.rejected, ...oddState(state)],
    warnings: [...strayTaskLabels(task), ...discovered.warnings],
    ...(fields.size > 0 && { unread: fields }),
  };
  // Health is that of the newest status alone: what an older one says of it is no longer true.
  const { health, healthAt } = facts;
  return { ...statuses.reduce(withStatus, facts), health, healthAt };
}

/** Paths in an error that mean that a port mapping, or an object that may contain one, could not be read. */
const OF_MAPPINGS = /port_mappings|(?:^|\.)(?:container|docker|container_status|network_infos(?:\[\d+\])?)$/;

function lacksMappings(problems: readonly Problem[], definesMappings: boolean): boolean {
  return problems.some(({ at }) => OF_MAPPINGS.test(at) && !(definesMappings && at.startsWith('status')));
}

function verdictOf({ healthy }: Pick<MesosStatus, 'healthy'>): Health | null {
  if (healthy === null || healthy === undefined) return null;
  return healthy ? 'healthy' : 'unhealthy';
}

/**
 * A known task after a second `TASK_ADDED`, or in another state: what its statuses lack now stays what it was, for they
 * are not always sent again.
 */
export function mergeKnown(known: TaskFacts, facts: TaskFacts): TaskFacts {
  const { addresses, networks } = facts.addresses.length > 0 ? facts : known;
  const isVerdict = ({ health }: TaskFacts) => health === 'healthy' || health === 'unhealthy';
  const isNewer = isVerdict(facts) && !isOlder(facts.healthAt, known.healthAt);
  const { health, healthAt } = isNewer || !isVerdict(known) ? facts : known;
  const { mappings } = facts.definesMappings || facts.mappings.length > 0 ? facts : known;
  const since = known.since ?? facts.since;
  return { ...facts, addresses, networks, health, healthAt, mappings, since, ...stillOf(known, facts) };
}

/** Whether one status is older than another; false when the time of either is unknown. */
function isOlder(at: number | null, than: number | null): boolean {
  return at !== null && than !== null && at < than;
}

/** A task's definition never changes, so that what of it could be read before is true where it cannot be read now. */
function stillOf(known: TaskFacts, { unread, lacksMappings: lacks }: TaskFacts): Partial<TaskFacts> {
  const { name, container, ports, labels, hostPorts, mappings, definesMappings, networkNames } = known;
  const was = (field: string) => unread?.has(field) === true && known.unread?.has(field) !== true;
  return {
    ...(was('name') && { name }),
    ...((was('name') || was('executor_id')) && container !== undefined && { container }),
    ...(was('discovery') && { name, ports }),
    ...(was('labels') && { labels }),
    ...(was('resources') && { hostPorts }),
    ...(was('container') && { networkNames }),
    ...(unread && { unread: unread.intersection(known.unread ?? NONE) }),
    ...(unread && known.saved && { saved: known.saved }),
    ...(lacks && !known.lacksMappings && { mappings, definesMappings, lacksMappings: undefined }),
  };
}

/**
 * The task after an event `TASK_UPDATED`. `state` is the newest one that the agent knows; `status` is the last that the
 * scheduler has acknowledged, may be older, and has no name, ports or labels (DCOS_OSS-3539).
 */
export function updated(
  facts: TaskFacts,
  state: string | null,
  status: MesosStatus | undefined,
  problems: readonly Problem[] = [],
): TaskFacts {
  const known = status === undefined ? facts : withStatus(facts, status);
  return {
    ...known,
    ...(lacksMappings(problems, facts.definesMappings) && {
      mappings: facts.mappings,
      ...(facts.mappings.length === 0 && { lacksMappings: true }),
    }),
    ...(state !== null && {
      state: mesosState(state),
      rejected: [...facts.rejected.filter(({ at }) => at !== 'state'), ...oddState(state)],
    }),
  };
}

/** A state that Mesos does not have, or writes in another way. */
function oddState(state: string): readonly Problem[] {
  const reason = state === '' ? null : stateProblem(state);
  return reason === null ? [] : [{ at: 'state', value: shown(state), reason }];
}

/** TASK_UNKNOWN is the state of a task that an agent which its master lost may still run. */
export function mesosState(state: string): TaskState {
  return state.toUpperCase() === 'TASK_UNKNOWN' ? 'unreachable' : stateOf(state);
}

/** Batch jobs come and go by the thousand, and a task without a port cannot be a backend. */
export function mayServe({ ports, labels, saved }: TaskFacts): boolean {
  return ports.length > 0 || taskLabelVips(labels).length > 0 || (saved?.task.ports.length ?? 0) > 0;
}

/** What a later status lacks stays what it was. */
function withStatus(facts: TaskFacts, status: MesosStatus): TaskFacts {
  const infos = status.container_status?.network_infos ?? [];
  const networks = networksIn(infos, facts.networkNames);
  const addresses = infos.flatMap(addressesIn);
  const mappings = facts.definesMappings ? [] : mappingsIn(infos);
  const at = status.timestamp ?? null;
  // The newest status alone counts: this one may be acknowledged late.
  const health = isOlder(at, facts.healthAt) ? null : verdictOf(status);
  return {
    ...facts,
    ...(addresses.length > 0 && { addresses, networks }),
    ...(mappings.length > 0 && { mappings }),
    ...(health !== null && { health, healthAt: at }),
    since: facts.since ?? status.timestamp ?? null,
  };
}

function addressesIn({ ip_addresses }: MesosNetworkInfo): readonly string[] {
  return (ip_addresses ?? []).flatMap(({ ip_address }) => ip_address || []);
}

function networksIn(infos: readonly MesosNetworkInfo[], names: readonly (string | null)[]): TaskNetworks {
  const list = infos.map((info) => ({ name: info.name, addresses: addressesIn(info) }));
  const networks = namesByOrder(list, names);
  const isUnsure = names.length > 1 && networks.some(({ name }) => name === null);
  if (!isUnsure) return { networks, unassigned: [] };
  return {
    networks: names.map((name) => ({ name, addresses: [] })),
    unassigned: networks.flatMap(({ addresses }) => addresses),
  };
}

function mappingsIn(infos: readonly MesosNetworkInfo[]): readonly PortMapping[] {
  return infos.flatMap(({ name, port_mappings }) =>
    (port_mappings ?? []).map((mapping) =>
      name && infos.length > 1 ? { ...mapping, network: name } : mapping,
    ),
  );
}

/** Marathon gives every instance of a pod an executor of its own, `instance-<pod>.<uuid>`. */
function isPod({ executor_id }: MesosTask): boolean {
  return executor_id?.value?.startsWith('instance-') ?? false;
}

/**
 * The mappings that a task's definition has; null where it leaves them to the status, as the containers of a pod do,
 * which are on the networks of the pod. What a definition does not map is not mapped (dcos_net_mesos_listener takes a
 * status only where the task has no such list).
 */
function ownMappings({ container }: MesosTask): readonly PortMapping[] | null {
  if (!container) return null;
  const docker = container.docker?.port_mappings ?? [];
  if (docker.length > 0) return docker;
  const infos = container.network_infos;
  if (infos && infos.length > 0) return mappingsIn(infos);
  return container.type === 'DOCKER' ? [] : null;
}

function hostPorts({ resources }: MesosTask): readonly (readonly [number, number])[] {
  return (resources ?? [])
    .filter(({ name }) => name === 'ports')
    .flatMap(({ ranges }) => (ranges?.range ?? []).map(({ begin, end }) => [begin, end] as const));
}
