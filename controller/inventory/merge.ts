import type { App, Health, Task, TaskState } from '../model/app.ts';
import { foldDefinitions } from './fold.ts';

/** The rows of one app in all sources. */
export interface AppRows {
  /** Definitions with the tasks that their sources list, in the order of the sources. */
  readonly defined: readonly App[];
  /** The names of these sources. */
  readonly sources?: readonly string[];
  /** Apps put together from tasks. */
  readonly fromTasks: readonly App[];
}

/**
 * The tasks of an app that both kinds of rows have, or had before (`listed`), and that some source still lists. Must be called
 * after each change of a row, so that the result does not depend on when apps are merged.
 */
export function listedTasks(
  { defined, fromTasks }: AppRows,
  listed: ReadonlySet<string>,
): ReadonlySet<string> {
  if (fromTasks.length === 0) return NONE;
  const current = idsOf(defined);
  return new Set([...idsOf(fromTasks)].filter((id) => current.has(id) || listed.has(id)));
}

/**
 * Merges the rows of one app into one. Definitions are folded into one (`foldDefinitions`). A task that a
 * definition's source and another one list counts once: with the ports and labels of the definition, and with both
 * verdicts on it, the worse of which decides. A task that only Mesos knows (Marathon was not reached since) is added,
 * unless a definition's source has listed it before (`listed`): then it has ended there,
 * whatever a Mesos that is out of reach reported last. undefined: there is no row.
 */
export function mergeRows(
  { defined, sources, fromTasks }: AppRows,
  listed: ReadonlySet<string>,
): App | undefined {
  const definition = folded(defined, sources);
  if (fromTasks.length === 0) return definition;
  const current = idsOf(defined);
  const ended = new Set([...listed].filter((id) => !current.has(id)));
  const all = [...(definition === undefined ? [] : [definition]), ...fromTasks];
  const [first, ...others] = all.map((app) => without(app, ended));
  return first === undefined ? undefined : others.reduce(together, first);
}

const NONE: ReadonlySet<string> = new Set();

function folded([first, ...others]: readonly App[], sources?: readonly string[]): App | undefined {
  return first === undefined ? undefined : foldDefinitions([first, ...others], sources);
}

function idsOf(apps: readonly App[]): ReadonlySet<string> {
  return new Set(apps.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
}

function without(app: App, ended: ReadonlySet<string>): App {
  if (ended.size === 0) return app;
  return { ...app, tasks: app.tasks.filter(({ id }) => !ended.has(id)) };
}

function together(app: App, other: App): App {
  const others = new Map(other.tasks.map((task) => [task.id, task]));
  const tasks = app.tasks.map((task) => {
    const seen = others.get(task.id);
    return seen === undefined ? task : oneTask(task, seen);
  });
  // After the merge, since definitions that disagree on a task have it more than once.
  for (const { id } of app.tasks) others.delete(id);
  // A task that ended in one source and is unknown to the other is dropped.
  const left = [...others.values()].filter(({ state }) => state !== 'gone');
  // Agents that are polled one by one know a part of an app each.
  if (app.fromTasks) {
    const warnings = [...new Set([...app.warnings, ...other.warnings])];
    return { ...app, tasks: [...tasks, ...left], rejected: [...app.rejected, ...other.rejected], warnings };
  }
  // Problems with tasks that both know are reported with the definition.
  if (left.length === 0) return { ...app, tasks };
  const { source: onlyIn = 'Mesos' } = other;
  const rejected = other.rejected.map((one) => ({ ...one, reason: onlyKnownTo(onlyIn, one.reason) }));
  return {
    ...app,
    tasks: [...tasks, ...left.map((task) => ({ ...task, onlyIn }))],
    rejected: [...app.rejected, ...rejected],
  };
}

/** The reason of a rejection about a task that only one source knows. */
export function onlyKnownTo(source: string, reason: string): string {
  return `${reason} (in a task that only ${source} knows)`;
}

function oneTask(defined: Task, seen: Task): Task {
  const state = worse(STATES, defined.state, seen.state);
  const health = worse(HEALTHS, defined.health, seen.health);
  // The version that it runs could not be read, or its agent could not be resolved: the task's own ports are as good.
  const placed = defined.ports.every(({ endpoints }) => endpoints.length > 0);
  const ports = placed || seen.ports.length === 0 ? defined.ports : seen.ports;
  const name = defined.name ?? seen.name;
  const agent = defined.agent ?? seen.agent;
  const place = defined.place ?? seen.place;
  const addresses = [...new Set([...(defined.addresses ?? []), ...(seen.addresses ?? [])])];
  return {
    ...defined,
    ...(name !== undefined && { name }),
    ...(agent !== undefined && { agent }),
    ...(place !== undefined && { place }),
    ...(addresses.length > 0 && { addresses }),
    state,
    health,
    ports,
  };
}

/** From serving to gone. */
const STATES: readonly TaskState[] = ['running', 'killing', 'staging', 'unreachable', 'gone'];
const HEALTHS: readonly Health[] = ['unchecked', 'healthy', 'unknown', 'unhealthy'];

function worse<Verdict>(order: readonly Verdict[], a: Verdict, b: Verdict): Verdict {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
