import type { App, Port, Rejection, Task, TaskPort } from '../../model/app.ts';
import { locationOf } from '../document/placement.ts';
import type { AppIdentity, TaskFacts } from './facts.ts';
import { pathPrefix, portsOf } from './ports.ts';
import type { MesosAgent } from './schema.ts';

/** A task joined with its agent. */
export interface JoinedTask {
  readonly facts: TaskFacts;
  /** null while not known. */
  readonly agent: MesosAgent | null;
}

/** A task as the model's `Task`; `address`: that of its agent, null while not known. */
export function taskFrom({ facts, agent }: JoinedTask, address: string | null): Task {
  const { id, name, state, health, saved } = facts;
  const { host = null, place } = agent ?? {};
  const ports = withSaved(portsOf(facts, { host, address }), saved?.task);
  const task = { id, ...(name !== '' && { name }), state, health, ports };
  // An ended task has no address.
  if (state === 'gone') return task;
  const where = locationOf(host, facts.addresses, ports, () => address);
  return { ...whereItWas(saved?.task), ...task, ...where, ...(place !== undefined && { place }) };
}

/** A task never changes its ports, so what could be read before the start still counts. */
function withSaved(ports: readonly TaskPort[], saved: Task | undefined): readonly TaskPort[] {
  if (saved === undefined) return ports;
  const were = new Set(saved.ports.map(({ at }) => at));
  return [...saved.ports, ...ports.filter(({ at }) => !were.has(at))];
}

function whereItWas(saved: Task | undefined): Pick<Task, 'agent' | 'addresses' | 'place'> {
  const { agent, addresses, place } = saved ?? {};
  return { ...(agent && { agent }), ...(addresses && { addresses }), ...(place && { place }) };
}

/** A task of an app, with the data that it was created from. */
export interface MadeTask {
  readonly task: Task;
  readonly facts: TaskFacts;
}

/**
 * The app that these tasks make up. It declares what its newest tasks carry, also while they only start; what is wrong
 * with the data of several tasks is reported once. `source`: name of the source.
 */
export function appFrom(
  identity: AppIdentity,
  framework: string,
  source: string,
  members: readonly MadeTask[],
): App {
  // A task without a readable start time has run since before this process started.
  const begun = ({ facts }: MadeTask) => facts.since ?? (facts.saved ? 0 : Number.POSITIVE_INFINITY);
  const newestFirst = members.toSorted((a, b) => (begun(a) === begun(b) ? 0 : begun(b) - begun(a)));
  const ports = new Map<string, Port>();
  for (const { task } of newestFirst) {
    for (const { endpoints, local, unresolved, ...port } of task.ports)
      if (!ports.has(port.at)) ports.set(port.at, port);
  }
  return {
    ...identity,
    fromTasks: true,
    source,
    framework,
    ports: [...ports.values()].sort((a, b) => (a.at < b.at ? -1 : 1)),
    tasks: members.map(({ task }) => task),
    ...problemsOf(identity, newestFirst),
  };
}

/** Mistakes of ended tasks no longer matter. */
function problemsOf({ id }: AppIdentity, members: readonly MadeTask[]): Pick<App, 'rejected' | 'warnings'> {
  const rejected = new Map<string, Rejection>();
  const warnings = new Set<string>();
  for (const { facts } of members) {
    if (facts.state === 'gone') continue;
    for (const each of facts.rejected) {
      const at = `${pathPrefix(facts)}${each.at}`;
      const rejection = { ...each, app: id, at };
      rejected.set(`${at} ${each.value}`, rejection);
    }
    for (const warning of facts.warnings) warnings.add(`${pathPrefix(facts)}${warning}`);
  }
  return { rejected: [...rejected.values()], warnings: [...warnings] };
}

/** A warning that names the running tasks whose framework has no name yet; empty if there are none. */
export function unnamedWarning(tasks: readonly JoinedTask[]): readonly string[] {
  const ids = tasks.filter(({ facts }) => facts.state === 'running').map(({ facts }) => facts.id);
  if (ids.length === 0) return [];
  const some = ids.slice(0, 5);
  const more = ids.length > some.length ? ` and ${ids.length - some.length} more` : '';
  return [`no backends, since Mesos has not named their framework: ${some.join(', ')}${more}`];
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/**
 * Marathon's task ids: `group_web.<uuid>`, `group_web.instance-<uuid>._app.2`, `group_pod.instance-<uuid>.container`
 * (mesosphere.marathon.core.task.Task.Id). Names in a path have no underscore.
 */
const MARATHON_TASK = new RegExp(`^(.+?)\\.(?:instance-|marathon-)?${UUID}(?:[._].*)?$`);

/** `broker-0`, `world-0-server`: SDK services number their pods. */
const NUMBERED = /^(.+?)-\d+(?:-(.+))?$/;

/**
 * The app that a task is an instance of, since Mesos knows only tasks. The id of a Marathon task
 * contains the id of its app, so that both sources report the same app; otherwise tasks of one framework belong
 * together if their names differ only in a number.
 */
export function appOfTask({
  id,
  name,
  container,
}: Pick<TaskFacts, 'id' | 'name' | 'container'>): AppIdentity {
  const path = MARATHON_TASK.exec(id)?.[1];
  if (path !== undefined) {
    return { id: `/${path.replaceAll('_', '/')}`, kind: container === undefined ? 'app' : 'pod' };
  }
  const [, first, rest] = NUMBERED.exec(name) ?? [];
  const service = first === undefined ? name || id : rest === undefined ? first : `${first}-${rest}`;
  return { id: `/${service}`, kind: 'app', ...(first !== undefined && { labelsPerTask: true }) };
}
