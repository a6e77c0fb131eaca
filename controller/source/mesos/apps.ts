import type { App, Port, Task } from '../../model.ts';
import type { AgentAddresses } from '../document/agents.ts';
import { same } from '../document/same.ts';
import type { AppIdentity } from './app-id.ts';
import type { TaskFacts } from './facts.ts';
import { portsOf, type TaskAgent } from './ports.ts';

/** A task with what its surroundings say. */
export interface JoinedTask {
  readonly facts: TaskFacts;
  /** Host name of its agent; null while not known. */
  readonly host: string | null;
}

/**
 * The app that these tasks make up. It declares what its newest tasks carry, also while they only start. Tasks that
 * are what they were in `previous` are the same objects.
 */
export function appFrom(
  { identity, framework }: { readonly identity: AppIdentity; readonly framework: string },
  joined: readonly JoinedTask[],
  addresses: AgentAddresses,
  previous: App | null,
): App {
  const before = new Map(previous?.tasks.map((task) => [task.id, task]));
  const tasks = joined.map(({ facts, host }) => {
    const task = taskFrom(facts, { host, address: host === null ? null : (addresses.get(host) ?? null) });
    const known = before.get(task.id);
    return known !== undefined && same(known, task) ? known : task;
  });
  const newestFirst = joined
    .map(({ facts: { since } }, index) => ({ since: since ?? Number.POSITIVE_INFINITY, task: tasks[index] }))
    .sort((a, b) => (a.since === b.since ? 0 : b.since - a.since));
  const ports = new Map<string, Port>();
  for (const { task } of newestFirst) {
    for (const { endpoints, unresolved, ...port } of task?.ports ?? [])
      if (!ports.has(port.at)) ports.set(port.at, port);
  }
  return {
    ...identity,
    fromTasks: true,
    framework,
    ports: [...ports.values()].sort((a, b) => (a.at < b.at ? -1 : 1)),
    tasks,
    rejected: [],
    warnings: [],
  };
}

function taskFrom(facts: TaskFacts, agent: TaskAgent): Task {
  const { id, name, state, health } = facts;
  return { id, ...(name !== '' && { name }), state, health, ports: portsOf(facts, agent) };
}
