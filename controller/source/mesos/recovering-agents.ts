/** After an agent has come back: how long its tasks may take to be told of (dcos-net's `mesos_tasks_readiness_timeout`). */
export const LATE_TASKS_MS = 10_000;
/** How long a new master waits for its agents (Mesos's `agent_reregister_timeout`), and dcos-net for them. */
export const RECOVERY_MS = 600_000;

/** Agents that have not come back to a new master. Times are milliseconds of the monotonic clock. */
export class RecoveringAgents {
  /** By id: the host name, and the time until which the agent, or its tasks, may come back. */
  #agents = new Map<string, { readonly host: string; readonly until: number }>();

  /** Host names of all of them, sorted. */
  get hosts(): readonly string[] {
    return [...this.#agents.values()].map(({ host }) => host).sort();
  }

  /** Until when tasks may be missing; null when no agent is. */
  get until(): number | null {
    if (this.#agents.size === 0) return null;
    return Math.max(...[...this.#agents.values()].map(({ until }) => until));
  }

  /** Takes those of a new master, host names by id, in place of all that were known. */
  replace(agents: ReadonlyMap<string, string>, now: number): void {
    const until = now + RECOVERY_MS + LATE_TASKS_MS;
    this.#agents = new Map([...agents].map(([id, host]) => [id, { host, until }]));
  }

  /** The agent came back, or was given up; its tasks are told of one by one, which takes a moment. */
  cameBack(id: string, now: number): void {
    const agent = this.#agents.get(id);
    if (agent !== undefined)
      this.#agents.set(id, { ...agent, until: Math.min(agent.until, now + LATE_TASKS_MS) });
  }

  /** Forgets those whose time is over. */
  expire(now: number): void {
    for (const [id, { until }] of this.#agents) if (until <= now) this.#agents.delete(id);
  }
}
