import type { App, Port, Task } from '../../model.ts';
import { whereaboutsOf } from '../document/whereabouts.ts';
import type { AppIdentity } from './app-id.ts';
import type { TaskFacts } from './facts.ts';
import { portsOf, type TaskAgent } from './ports.ts';

/** A task with what its surroundings say. */
export interface JoinedTask {
  readonly facts: TaskFacts;
  /** Host name of its agent; null while not known. */
  readonly host: string | null;
}

/** A task's facts and where its agent is, as the model's `Task`. */
export function taskFrom(facts: TaskFacts, agent: TaskAgent): Task {
  const { id, name, state, health } = facts;
  const ports = portsOf(facts, agent);
  // What runs no more is nowhere.
  const where =
    state === 'gone' ? {} : whereaboutsOf(agent.host, facts.addresses, ports, () => agent.address);
  return { id, ...(name !== '' && { name }), state, health, ports, ...where };
}

/**
 * The app that these tasks make up. `since`: when each began, in seconds since the epoch; null while it has not. It
 * declares what its newest tasks carry, also while they only start.
 */
export function appFrom(
  identity: AppIdentity,
  framework: string,
  members: readonly { readonly task: Task; readonly since: number | null }[],
): App {
  const begun = ({ since }: (typeof members)[number]) => since ?? Number.POSITIVE_INFINITY;
  const newestFirst = members.toSorted((a, b) => (begun(a) === begun(b) ? 0 : begun(b) - begun(a)));
  const ports = new Map<string, Port>();
  for (const { task } of newestFirst) {
    for (const { endpoints, local, unresolved, ...port } of task.ports)
      if (!ports.has(port.at)) ports.set(port.at, port);
  }
  return {
    ...identity,
    fromTasks: true,
    framework,
    ports: [...ports.values()].sort((a, b) => (a.at < b.at ? -1 : 1)),
    tasks: members.map(({ task }) => task),
    rejected: [],
    warnings: [],
  };
}
