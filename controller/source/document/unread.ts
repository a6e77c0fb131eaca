import { BOUNDS } from '../../input/bounds.ts';
import type { MarathonApp, MarathonPodStatus, Unread } from '../../input/marathon-json.ts';
import type { App, Port, Rejection, Task, TaskPort } from '../../model/app.ts';
import type { Documents } from './documents.ts';
import { notPlaced, taskPort } from './placement.ts';
import { UNREAD_PLACE } from './unread-places.ts';

/** Whether the definition of an app or pod cannot be read. */
export function isLost({ unread }: MarathonApp | MarathonPodStatus): boolean {
  return unread !== undefined && unread.definition !== null;
}

/** Why VIPs or backends of an app or pod that has no last good state are unknown; null when all could be read. */
export function whatIsLacking(unread: Unread | undefined): string | null {
  if (unread === undefined) return null;
  const { definition, tasks, taskList, ports, places, rejected } = unread;
  if (definition !== null) return definition.reason;
  const [task] = tasks;
  if (task !== undefined) return task.rejection.reason;
  return taskList || ports.size > 0 || places.size > 0 ? (rejected[0]?.reason ?? 'it cannot be read') : null;
}

/**
 * Restores what could not be read of an app (its definition, tasks, ports and health) from `previous`, and adds the
 * rejections. An unreadable task without an id may be any task that is not listed.
 */
export function withUnread(app: App, unread: Unread | undefined, previous: App | undefined): App {
  if (unread === undefined) return app;
  const { definition } = unread;
  const running = definition === null ? app : withoutDefinition(app, previous, definition);
  return withTasks(withPorts(running, unread, previous), unread, previous);
}

/** An app whose definition cannot be read or is refused: its tasks keep their last known ports, with their current state. */
export function withoutDefinition(running: App, previous: App | undefined, rejection: Rejection): App {
  const known = new Map(previous?.tasks.map((task) => [task.id, task]));
  const tasks = running.tasks.map((task): Task => {
    const before = known.get(task.id);
    if (before === undefined) return { ...task, ports: [] };
    const health = before.health === 'unchecked' ? before.health : task.health;
    return { ...before, state: task.state, health };
  });
  return {
    ...running,
    kind: previous?.kind ?? running.kind,
    ports: previous?.ports ?? [],
    tasks,
    rejected: [rejection],
    warnings: previous?.warnings ?? [],
  };
}

function withPorts(app: App, { ports, health, rejected }: Unread, previous: App | undefined): App {
  if (ports.size === 0 && health.size === 0) return withRejected(app, rejected);
  const declared = new Map(previous?.ports.map((port) => [port.at, port]));
  const known = new Map(previous?.tasks.map((task) => [task.id, task]));
  const lastDeclared = (port: Port) => {
    const { protocols, labels } = (ports.has(port.at) && declared.get(port.at)) || port;
    return { protocols, labels };
  };
  const portOf = (task: Task, port: TaskPort): TaskPort => {
    const scope = ports.get(port.at);
    if (scope === undefined) return port;
    const before = known.get(task.id)?.ports.find(({ at }) => at === port.at);
    const { unresolved: _, ...placed } = { ...port, ...lastDeclared(port) };
    if (before !== undefined || scope === 'declaration') return before ?? { ...port, ...lastDeclared(port) };
    return taskPort(placed, notPlaced(UNREAD_PLACE), task.state);
  };
  const tasks = app.tasks.map((task): Task => {
    const before = health.has(task.id) ? known.get(task.id) : undefined;
    return {
      ...task,
      ...(before !== undefined && { health: before.health }),
      ports: task.ports.map((port) => portOf(task, port)),
    };
  });
  const reported = rejected.map((one) => {
    const at = [...ports.keys()].find((port) => isWithin(one.at, port));
    if (at === undefined) return one;
    return {
      ...one,
      reason: `${one.reason}: this port ${declared.has(at) ? 'keeps its last known state' : 'is left out'}`,
    };
  });
  const own = app.ports.map((port) => ({ ...port, ...lastDeclared(port) }));
  return withRejected({ ...app, ports: own, tasks }, reported);
}

/** Whether a path is within this port, in a definition or in the `spec` of a pod's status. */
function isWithin(at: string, port: string): boolean {
  const inDefinition = at.replace(/^spec\./, '');
  return inDefinition === port || inDefinition.startsWith(`${port}.`);
}

function withRejected(app: App, rejected: readonly Rejection[]): App {
  const reported = rejected.slice(0, BOUNDS.rejections);
  const more = rejected.length - reported.length;
  const rest =
    more > 0 ? [{ app: app.id, at: '', value: '', reason: `and ${more} more errors like these` }] : [];
  return { ...app, rejected: [...app.rejected, ...reported, ...rest] };
}

function withTasks(app: App, { tasks: unreadable, taskList }: Unread, previous: App | undefined): App {
  if (taskList) return { ...app, tasks: previous?.tasks ?? [] };
  if (unreadable.length === 0) return app;
  const listed = new Set(app.tasks.map(({ id }) => id));
  const states = new Map(unreadable.map(({ id, state }) => [id, state]));
  const ids = new Set(states.keys());
  const kept = new Set<string>();
  const tasks = [...app.tasks];
  for (const task of previous?.tasks ?? []) {
    const id = app.kind === 'app' ? task.id : instanceOf(task, ids);
    if (listed.has(task.id) || !(ids.has(id) || ids.has(null))) continue;
    const state = states.get(id) ?? task.state;
    tasks.push({ ...task, state });
    if (state !== 'gone') kept.add(id);
  }
  const noun = app.kind === 'app' ? 'task' : 'instance';
  const reported = unreadable.slice(0, BOUNDS.rejections).map(({ id, rejection }) => ({
    ...rejection,
    reason: `${rejection.reason}: ${effectOn(noun, id, kept)}`,
  }));
  return {
    ...app,
    tasks,
    rejected: [...app.rejected, ...reported, ...andMore(app, noun, unreadable.length)],
  };
}

/** The id of a pod's task begins with the id of its instance, which may contain dots itself. */
function instanceOf({ id }: Task, instances: ReadonlySet<string | null>): string {
  for (let end = id.lastIndexOf('.'); end > 0; end = id.lastIndexOf('.', end - 1)) {
    const instance = id.slice(0, end);
    if (instances.has(instance)) return instance;
  }
  return id;
}

/** What an unreadable task means for backends, for the message. */
function effectOn(noun: string, id: string | null, kept: ReadonlySet<string>): string {
  if (id === null)
    return kept.size === 0
      ? `this ${noun} is left out`
      : `known ${noun}s that are not listed keep their last known ports`;
  return `${noun} ${id} ${kept.has(id) ? 'keeps its last known ports' : 'is left out'}`;
}

function andMore({ id, kind }: App, noun: string, count: number): readonly Rejection[] {
  const more = count - BOUNDS.rejections;
  if (more <= 0) return [];
  const at = kind === 'app' ? 'tasks' : 'instances';
  return [{ app: id, at, value: '', reason: `and ${more} more ${noun}s like these` }];
}

/**
 * Marks apps that have running tasks by Marathon's own count but no `tasks`, although the request asked for them: which
 * tasks there are cannot be read, so the last known ones stay. Without this the app would look as if it had none.
 */
export function markUnlistedTasks(documents: Documents): Documents {
  return documents.apps.some(isUnlisted)
    ? { ...documents, apps: documents.apps.map((app) => (isUnlisted(app) ? withoutList(app) : app)) }
    : documents;
}

function isUnlisted({ tasks = null, tasksRunning, unread }: MarathonApp): boolean {
  return tasks === null && (tasksRunning ?? 0) > 0 && unread?.taskList !== true;
}

function withoutList(app: MarathonApp): MarathonApp {
  const reason = `expected the list of tasks, since tasksRunning is ${app.tasksRunning}: known tasks keep their last known ports`;
  const rejection = { app: app.id, at: 'tasks', value: 'nothing', reason };
  const unread = app.unread ?? NOTHING_UNREAD;
  return { ...app, unread: { ...unread, taskList: true, rejected: [...unread.rejected, rejection] } };
}

const NOTHING_UNREAD: Unread = {
  definition: null,
  tasks: [],
  taskList: false,
  ports: new Map(),
  places: new Map(),
  health: new Set(),
  rejected: [],
};
