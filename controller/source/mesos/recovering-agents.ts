import type { MesosAgent } from './schema.ts';
import type { AgentList, MesosState } from './state.ts';
import type { TaskEntry } from './task-table.ts';

/** After an agent has come back: how long until its tasks have been sent (dcos-net's `mesos_tasks_readiness_timeout`). */
export const LATE_TASKS_MS = 10_000;
/** How long a new master waits for its agents at least; operators can only raise it (Mesos's `agent_reregister_timeout`). */
export const REREGISTER_MS = 600_000;
/** Pause between queries to a master about the agents that it still waits for. */
export const RECHECK_MS = 30_000;

interface Agent {
  readonly host: string;
  /** When to ask the master whether it still waits for the agent; infinite once the agent has come back. */
  readonly checkAt: number;
  /** Until when its tasks may be missing; infinite while the master waits for it. */
  readonly until: number;
}

/**
 * Agents that have not come back to a new master. Times are milliseconds of the monotonic clock.
 *
 * When an agent's time is over, the master sends no event (`Master::_markUnreachable`), and only the master knows how long
 * that time is. So the master is queried: first after the shortest time that can be configured, then at intervals.
 */
export class RecoveringAgents {
  #agents = new Map<string, Agent>();

  /** Host names of all of them, sorted. */
  get hosts(): readonly string[] {
    return [...this.#agents.values()].map(({ host }) => host).sort();
  }

  /** Until when tasks may be missing, infinite while the master waits for an agent; null when none are missing. */
  get until(): number | null {
    if (this.#agents.size === 0) return null;
    return this.#agents.values().reduce((latest, { until }) => Math.max(latest, until), 0);
  }

  /** When to ask the master which agents it still waits for; infinite when it waits for none. */
  get nextCheck(): number {
    const never = Number.POSITIVE_INFINITY;
    return this.#agents.values().reduce((first, { checkAt }) => Math.min(first, checkAt), never);
  }

  /**
   * Takes the agents that a master waits for, by id, in place of all known ones. An agent that was already waited for
   * keeps its time: this is only another subscription.
   */
  replace(agents: ReadonlyMap<string, Pick<MesosAgent, 'host'> | null>, now: number): void {
    const before = this.#agents;
    const checkAt = (id: string) => {
      const known = before.get(id)?.checkAt ?? Number.POSITIVE_INFINITY;
      return Number.isFinite(known) ? known : now + REREGISTER_MS;
    };
    this.#agents = new Map(
      [...agents].map(([id, agent]) => [
        id,
        { host: agent?.host ?? id, checkAt: checkAt(id), until: Number.POSITIVE_INFINITY },
      ]),
    );
  }

  /** The agent came back, or the master gave it up; its tasks arrive one by one, which takes a moment. */
  cameBack(id: string, now: number): void {
    const agent = this.#agents.get(id);
    if (agent === undefined) return;
    const until = Math.min(agent.until, now + LATE_TASKS_MS);
    this.#agents.set(id, { ...agent, checkAt: Number.POSITIVE_INFINITY, until });
  }

  /**
   * The agents that a master has given up, going by its list of agents. One that has registered is not: its event is on
   * the way.
   */
  givenUp({ registered, recovering }: AgentList, now: number): readonly string[] {
    const waiting = [...this.#agents].filter(([, { checkAt }]) => Number.isFinite(checkAt));
    for (const [id, agent] of waiting)
      this.#agents.set(id, { ...agent, checkAt: Math.max(agent.checkAt, now + RECHECK_MS) });
    return waiting.map(([id]) => id).filter((id) => !registered.has(id) && !recovering.has(id));
  }

  /** Forgets those whose tasks have all been sent. */
  expire(now: number): void {
    for (const [id, { until }] of this.#agents) if (until <= now) this.#agents.delete(id);
  }
}

/** How long the tasks of an agent that its master gave up are kept: longer than connections drain by default. */
const UNREACHABLE_KEPT_MS = 600_000;

/**
 * What becomes of a known task that a whole state does not list: the task as it is kept, and until when, in
 * milliseconds of the monotonic clock; null where it has ended.
 */
export function unlisted(
  { facts, keptUntil }: TaskEntry,
  { agents, recovered }: Pick<MesosState, 'agents' | 'recovered'>,
  now: number,
): Pick<TaskEntry, 'facts' | 'keptUntil'> | null {
  if (recovered.has(facts.agentId)) return { facts, keptUntil: Number.POSITIVE_INFINITY };
  // A master lists all tasks of an agent that has registered with it, and no new master has been waiting for this one.
  if (agents.has(facts.agentId) || keptUntil === null) return null;
  return Number.isFinite(keptUntil) && facts.state === 'unreachable'
    ? { facts, keptUntil }
    : givenUp(facts, now);
}

/** A kept task whose agent the master gave up: what runs there, if it still does, may end its connections. */
export function givenUp(facts: TaskEntry['facts'], now: number): Pick<TaskEntry, 'facts' | 'keptUntil'> {
  return { facts: { ...facts, state: 'unreachable' }, keptUntil: now + UNREACHABLE_KEPT_MS };
}
