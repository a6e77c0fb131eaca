import type { MarathonApp, MarathonTask, Unread } from '../../input/marathon-json.ts';
import type { App, Health, Placement, Port, Task, TaskPort } from '../../model/app.ts';
import { type Place, placeOf } from '../../model/place.ts';
import { PortBudget } from '../backend-bound.ts';
import { addressesOn, networksByOrder, onNetworks, type TaskNetworks } from './networks.ts';
import { type AgentAddress, locationOf, notPlaced, onAgent, onContainer, taskPort } from './placement.ts';
import { type DeclaredPort, type Definition, defineApp } from './ports.ts';
import { stateOf, taskHealth } from './states.ts';
import { type KeptPlaces, keptPlaces, placeOrLast } from './unread-places.ts';

/** What converting an app or a pod needs besides its JSON. */
export interface Conversion {
  /** Mesos framework name. */
  readonly framework: string;
  readonly agentAddress: AgentAddress;
  /**
   * Older versions that tasks run, by Marathon's version string; a version not listed counts as the newest. `gone`:
   * Marathon has deleted it. `unreadable`: it could not be read this time.
   */
  readonly versions?: ReadonlyMap<string, Definition | 'gone' | 'unreadable'>;
  /** The newest definition, if it was already parsed; sharing it saves memory. */
  readonly newest?: Definition;
  /** The app as it was last converted: what its tasks served outlives the definition of their version. */
  readonly previous?: App | undefined;
}

/** Converts an app's JSON with its embedded tasks to an `App`. */
export function convertApp(app: MarathonApp, conversion: Conversion): App {
  const { id, unread } = app;
  const tasks = (app.tasks ?? []).map(reportedTask);
  const addresses = tasks.reduce((sum, task) => sum + Math.max(task.addresses.length, 1), 0);
  const newest = conversion.newest ?? defineApp(app);
  return convertReported({ id, kind: 'app', tasks, addresses, unread }, newest, conversion);
}

function reportedTask(task: MarathonTask): ReportedTask {
  const addresses = (task.ipAddresses ?? []).map((entry) => entry?.ipAddress);
  return {
    id: task.id,
    version: task.version,
    state: stateOf(task.state, task.startedAt),
    host: task.host,
    addresses,
    place: placeOf({ region: task.region, zone: task.zone }),
    declares: () => true,
    // Marathon lists a task's addresses in the order of the app's networks, without network names.
    networksIn: (names) =>
      networksByOrder(
        names,
        addresses.flatMap((address) => address ?? []),
      ),
    hostPort: (index) => task.ports?.[Number(index)],
    health: (checked) => taskHealth(task.healthCheckResults, checked),
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

/** An app or a pod as Marathon reports it, besides its definition. */
export interface ReportedApp extends Pick<App, 'id' | 'kind'> {
  readonly tasks: Iterable<ReportedTask>;
  /** Total number of addresses of its tasks or instances, at least one for each. */
  readonly addresses: number;
  readonly unread: Unread | undefined;
}

/** A task as Marathon reports it: one of an app, or a container of an instance of a pod. */
export interface ReportedTask extends Pick<Task, 'id' | 'state'> {
  readonly version: string | null | undefined;
  /** Marathon's name for its agent. */
  readonly host: string | null | undefined;
  /** The addresses of its container. */
  readonly addresses: readonly (string | null | undefined)[];
  readonly place: Place | undefined;
  /** Whether this port of its definition is one of its own. */
  readonly declares: (port: Port) => boolean;
  /** Its addresses by network. `names`: the networks of its definition, in order. */
  readonly networksIn: (names: Definition['networks']) => TaskNetworks;
  /** The host port that was allocated for a port. `index` as in `DeclaredPort`. */
  readonly hostPort: (index: number | string) => number | null | undefined;
  /** `checked`: whether its version has a health check. */
  readonly health: (checked: boolean) => Health;
}

/**
 * Converts an app or a pod with its tasks. `newest` is its newest definition.
 *
 * A task's ports, labels and health checks are those of the version that it runs: Marathon allocated its host ports for
 * that version, and DC/OS fixed the labels at launch.
 */
export function convertReported(
  { id, kind, tasks: reported, addresses, unread }: ReportedApp,
  newest: Definition,
  conversion: Conversion,
): App {
  const { framework, previous } = conversion;
  const warnings = [...newest.warnings];
  const places = keptPlaces(unread?.places, previous);
  const budget = new PortBudget<DeclaredPort>(addresses);
  const tasks: Task[] = [];
  for (const task of reported) {
    const context = { conversion, budget, kept: places.get(task.id), warnings };
    const converted = convertTask(task, newest, context);
    budget.add(converted.ports);
    tasks.push(converted);
  }
  const ports = newest.ports.map(({ port }) => port);
  return { id, kind, framework, ports, tasks, rejected: newest.rejected, warnings };
}

interface TaskContext {
  readonly conversion: Conversion;
  readonly budget: PortBudget<DeclaredPort>;
  /** Where the task was last reached, if something of that cannot be read now. */
  readonly kept: KeptPlaces | undefined;
  readonly warnings: string[];
}

function convertTask(task: ReportedTask, newest: Definition, context: TaskContext): Task {
  const { id, state, host, place } = task;
  const { kept, conversion } = context;
  const { ports, checked } = servedBy(task, newest, context);
  // No VIP may take an address of a task because it cannot be read this time.
  const before = kept?.unread.addresses ? (kept.before?.addresses ?? []) : [];
  return {
    ...{ id, state, health: task.health(checked), ports },
    ...(place !== undefined && { place }),
    ...locationOf(host, [...task.addresses, ...before], ports, conversion.agentAddress),
  };
}

/** The ports that a task serves, and whether its version has a health check. */
interface Served {
  readonly ports: readonly TaskPort[];
  readonly checked: boolean;
}

/**
 * Finds the ports that a task serves, in this order: from the definition of its version; from its last conversion,
 * since a task never changes its version; if Marathon has deleted the version, from the newest definition, with a
 * warning. A version that cannot be read at the moment gives no backends: wrong ones would be worse.
 */
function servedBy(task: ReportedTask, newest: Definition, context: TaskContext): Served {
  const { id, version } = task;
  const { versions, previous } = context.conversion;
  const found = version ? versions?.get(version) : undefined;
  if (found === undefined) return placed(task, newest, context);
  if (found !== 'gone' && found !== 'unreadable') return placed(task, found, context);

  const known = previous?.tasks.find((each) => each.id === id);
  if (known?.ports.every(({ endpoints }) => endpoints.length > 0))
    return { ports: known.ports, checked: known.health !== 'unchecked' };
  if (found === 'unreadable')
    return placed(task, newest, context, `the definition of version ${version} could not be read`);
  context.warnings.push(
    `task ${id} runs version ${version}, which Marathon has deleted: treated as the newest version`,
  );
  return placed(task, newest, context);
}

/** The ports of a definition, placed; `unresolved`: why none of them can be. */
function placed(
  task: ReportedTask,
  definition: Definition,
  { conversion: { agentAddress }, budget, kept }: TaskContext,
  unresolved?: string,
): Served {
  // The order of addresses decides their networks, so none counts if some could not be read.
  const networks = kept?.unread.addresses ? NO_NETWORKS : task.networksIn(definition.networks);
  const placementOf = (declared: DeclaredPort): Placement => {
    if (unresolved !== undefined) return notPlaced(unresolved);
    const at = (hostPort?: number) => place(declared, task, networks, agentAddress, hostPort);
    const index = declared.reach.by === 'host port' ? declared.reach.index : null;
    return kept === undefined ? at() : placeOrLast(declared.port, index, kept, at);
  };
  const own = budget.portsOf(definition.ports).filter(({ port }) => task.declares(port));
  const ports = own.map((each) => taskPort(each.port, placementOf(each), task.state));
  return { ports, checked: definition.checked };
}

const NO_NETWORKS: TaskNetworks = { networks: [], unassigned: [] };

function place(
  { reach, networkNames }: DeclaredPort,
  task: ReportedTask,
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
  return onAgent(task.host, hostPort ?? task.hostPort(index), agentAddress, behind);
}
