import { earliest } from '../../time.ts';
import { SetMap } from '../set-map.ts';
import type { JoinedTask } from './apps.ts';

/** A task as it is known, and joined. */
export interface TaskEntry extends JoinedTask {
  /**
   * Set while it is not known whether it still runs, since its agent has not come back to a new master: when it is
   * forgotten, in milliseconds of the monotonic clock; infinite while the master waits for the agent.
   */
  readonly keptUntil: number | null;
}

/** Tasks by key, found by their agents too: an event costs what it concerns, however many tasks there are. */
export class TaskTable {
  readonly #entries = new Map<string, TaskEntry>();
  readonly #byAgent = new SetMap<string, string>();
  readonly #kept = new Set<string>();

  get(key: string): TaskEntry | undefined {
    return this.#entries.get(key);
  }

  /** What is known of a task that has not ended. */
  living(key: string): TaskEntry['facts'] | null {
    const facts = this.#entries.get(key)?.facts;
    return facts === undefined || facts.state === 'gone' ? null : facts;
  }

  /** Ids of all agents and frameworks that tasks have. */
  references(): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const { facts } of this.#entries.values()) ids.add(facts.frameworkId).add(facts.agentId);
    return ids;
  }

  /** Host names of the agents that tasks are on. */
  hosts(): ReadonlySet<string> {
    const hosts = new Set<string>();
    for (const { agent } of this.#entries.values()) if (agent !== null) hosts.add(agent.host);
    return hosts;
  }

  /** A key as it is, except that one without a framework is that of the only task with its id. */
  keyOf(key: string): string {
    if (!key.startsWith(' ')) return key;
    const keys = [...this.#entries.keys()].filter((each) => each.endsWith(key));
    return keys.length === 1 ? (keys[0] ?? key) : key;
  }

  /** All of them: for what concerns each. */
  all(): ReadonlyMap<string, TaskEntry> {
    return this.#entries;
  }

  /** Those that are kept although no list has them; of this agent, if one is given. */
  kept(agentId?: string): readonly TaskEntry[] {
    const entries = [...this.#kept].flatMap((key) => this.#entries.get(key) ?? []);
    return agentId === undefined ? entries : entries.filter(({ facts }) => facts.agentId === agentId);
  }

  /** Those of them whose time is over. */
  due(now: number): readonly TaskEntry[] {
    return this.kept().filter(({ keptUntil }) => keptUntil !== null && keptUntil <= now);
  }

  /** When the next of those is to be forgotten; null when there is none. */
  nextExpiry(): number | null {
    let next: number | null = null;
    for (const { keptUntil } of this.kept()) next = earliest(next, keptUntil);
    return next;
  }

  onAgent(agentId: string): ReadonlySet<string> {
    return this.#byAgent.get(agentId);
  }

  set(key: string, entry: TaskEntry): void {
    const { agentId } = entry.facts;
    if (this.#entries.get(key)?.facts.agentId !== agentId) {
      this.delete(key);
      this.#byAgent.add(agentId, key);
    }
    this.#entries.set(key, entry);
    if (entry.keptUntil === null) this.#kept.delete(key);
    else this.#kept.add(key);
  }

  /** One that is not there is no error. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#byAgent.delete(entry.facts.agentId, key);
    this.#entries.delete(key);
    this.#kept.delete(key);
  }
}

/** Ended tasks that are remembered: another source may still list them as running. */
const KEPT = 2_000;

/** Keys of tasks that have ended, as many as are remembered. */
export class EndedTasks {
  /** The longest ago first. */
  readonly #keys = new Set<string>();

  /** Returns the one to forget for it, if there is one. */
  add(key: string): string | null {
    this.#keys.add(key);
    const [oldest] = this.#keys;
    return this.#keys.size > KEPT && oldest !== undefined ? oldest : null;
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }
}
