import type { z } from 'zod';
import { isRecord } from '../../input/rejection.ts';
import type { Pace } from '../../pace.ts';
import { type Found, type Wanted, walkJson } from '../json/walk.ts';
import type { TaskFacts } from './facts.ts';
import { idIn, readTask, type Unreadable, unreadableTask } from './read-task.ts';
import { type Problem, readable } from './readable.ts';
import { agentInfoSchema, agentSchema, frameworkSchema, hostIn, type MesosAgent } from './schema.ts';
import type { UnreadablePart } from './unreadable-table.ts';

/** An entry that could not be read, and what it is. */
export interface RefusedEntry extends Unreadable {
  readonly part: UnreadablePart;
}

/** The state of a cluster at one moment, from a master or an agent. */
export interface MesosState {
  /** Names by id. */
  readonly frameworks: ReadonlyMap<string, string>;
  /** By id, like the following ones. */
  readonly agents: ReadonlyMap<string, MesosAgent>;
  /**
   * Agents that a master knows from its registry but that have not come back since it took over: what runs there is
   * in no list. null for one whose host name could not be read.
   */
  readonly recovered: ReadonlyMap<string, MesosAgent | null>;
  /** Host names of agents of either list without an id, which have not registered: nothing runs there yet. */
  readonly nameless: ReadonlySet<string>;
  readonly tasks: readonly TaskFacts[];
  /** Tasks on agents that the master cannot reach; it keeps them for long. */
  readonly unreachable: readonly TaskFacts[];
  /** Entries that could not be read: tasks by key, what has no id by its path. */
  readonly rejected: ReadonlyMap<string, RefusedEntry>;
  /** Of an event stream; null elsewhere. */
  readonly heartbeatSeconds: number | null;
}

const GET_STATE: Wanted = {
  get_frameworks: { frameworks: 'each' },
  get_agents: { agents: 'each', recovered_agents: 'each' },
  // An agent's reply has `launched_tasks` in place of `tasks`.
  get_tasks: { tasks: 'each', launched_tasks: 'each', unreachable_tasks: 'each' },
};

const WANTED: Wanted = {
  type: 'value',
  get_state: GET_STATE,
  subscribed: { heartbeat_interval_seconds: 'value', get_state: GET_STATE },
};

/**
 * Reads a `GET_STATE` reply or a `SUBSCRIBED` event, in turns of a few milliseconds however large it is. Resolves with null for
 * any other type and for a reply without a state. Rejects with a `SyntaxError` if it is not JSON, incomplete, or has
 * another type in place of a list.
 */
export async function readState(bytes: Buffer, pace: Pace): Promise<MesosState | null> {
  const builder = new StateBuilder();
  for (const found of walkJson(bytes, WANTED, 'strict')) {
    if (found !== null) builder.take(found);
    await pace.restIfDue();
  }
  return builder.state();
}

/** A state has these objects even without any task or framework. */
const ESSENTIAL = ['get_tasks', 'get_frameworks'] as const;

/** A state under construction. */
export class StateBuilder {
  #type: unknown;
  readonly #seen = new Set<string>();
  readonly #frameworks = new Map<string, string>();
  readonly #agents = new Map<string, MesosAgent>();
  readonly #recovered = new Map<string, MesosAgent | null>();
  readonly #nameless = new Set<string>();
  readonly #tasks: TaskFacts[] = [];
  readonly #unreachable: TaskFacts[] = [];
  readonly #rejected = new Map<string, RefusedEntry>();
  /** Elements that were taken, by the path of their list. */
  readonly #taken = new Map<string, number>();
  #heartbeatSeconds: number | null = null;

  /** Takes one piece; `path` ends in its list. `at`: its path in the document, if that differs. */
  take({ path, json, refused }: Found, at = this.#pathOf(path, json)): void {
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (json === undefined) {
      this.#seen.add(name);
      return;
    }
    switch (name) {
      case 'type':
        this.#type = json;
        return;
      case 'tasks':
      case 'launched_tasks':
        this.#addTask({ json, refused, at }, this.#tasks);
        return;
      case 'unreachable_tasks':
        this.#addTask({ json, refused, at }, this.#unreachable);
        return;
      case 'frameworks': {
        const data = this.#read(frameworkSchema, json, at);
        if (data !== null) this.#frameworks.set(data.framework_info.id, data.framework_info.name);
        return;
      }
      case 'agents': {
        const data = this.#read(agentSchema, json, at);
        if (data !== null) this.#agents.set(data.agent_info.id, data.agent_info);
        else if (isRecord(json)) this.#addHost(json['agent_info']);
        return;
      }
      case 'recovered_agents': {
        const data = this.#read(agentInfoSchema, json, at);
        const known = data?.id ?? idIn(json, 'id');
        if (known !== null) this.#recovered.set(known, data);
        if (data === null) this.#addHost(json);
        return;
      }
      case 'heartbeat_interval_seconds':
        if (typeof json === 'number' && json > 0) this.#heartbeatSeconds = json;
    }
  }

  /** null if it was not a state. */
  state(): MesosState | null {
    const complete = ESSENTIAL.every((name) => this.#seen.has(name));
    if ((this.#type !== 'GET_STATE' && this.#type !== 'SUBSCRIBED') || !complete) return null;
    return {
      frameworks: this.#frameworks,
      agents: this.#agents,
      recovered: this.#recovered,
      nameless: this.#nameless,
      tasks: this.#tasks,
      unreachable: this.#unreachable,
      rejected: this.#rejected,
      heartbeatSeconds: this.#heartbeatSeconds,
    };
  }

  #pathOf(path: string, json: unknown): string {
    if (json === undefined) return path;
    const index = this.#taken.get(path) ?? 0;
    this.#taken.set(path, index + 1);
    return `${path}[${index}]`;
  }

  #read<Schema extends z.ZodType>(schema: Schema, json: unknown, at: string): z.output<Schema> | null {
    const { data, problems } = readable(schema, json);
    if (data === null) this.#reject(at, 'other', problems[0]);
    return data;
  }

  /** Without an id it is identified by its path. */
  #reject(
    at: string,
    part: UnreadablePart,
    problem: Problem = { at: '', value: '', reason: 'cannot be read' },
  ): void {
    const rejection = { app: '', ...problem, at: problem.at === '' ? at : `${at}.${problem.at}` };
    this.#rejected.set(at, { key: at, part, state: null, rejection });
  }

  #addHost(info: unknown): void {
    const host = hostIn(info);
    if (host !== null) this.#nameless.add(host);
  }

  #addTask(
    { json, refused, at }: Omit<Found, 'path' | 'refused'> & { refused: string | undefined; at: string },
    list: TaskFacts[],
  ): void {
    const problem = refused === undefined ? null : { at: '', value: '', reason: refused };
    const read = problem === null ? readTask(json) : unreadableTask(json, problem);
    if ('task' in read) list.push(read.task);
    else if (read.rejection.app !== '') this.#rejected.set(read.key, { ...read, part: 'task' });
    else this.#reject(at, 'task', read.rejection);
  }
}

/** The agents of a master, by id. */
export interface AgentList {
  readonly registered: ReadonlySet<string>;
  /** Known from before a failover, and not back yet. */
  readonly recovering: ReadonlySet<string>;
}

const GET_AGENTS: Wanted = { get_agents: { agents: 'each', recovered_agents: 'each' } };

/**
 * Reads a `GET_AGENTS` reply, in turns of a few milliseconds. Resolves with null for
 * another reply. Rejects with a `SyntaxError` if it is not JSON, or incomplete.
 */
export async function readAgentList(bytes: Buffer, pace: Pace): Promise<AgentList | null> {
  const registered = new Set<string>();
  const recovering = new Set<string>();
  let isReply = false;
  for (const found of walkJson(bytes, GET_AGENTS, 'strict')) {
    if (found?.path === 'get_agents') isReply = true;
    else if (found?.path === 'get_agents.agents') {
      const id = isRecord(found.json) ? idIn(found.json['agent_info'], 'id') : null;
      if (id !== null) registered.add(id);
    } else if (found?.path === 'get_agents.recovered_agents') {
      const id = idIn(found.json, 'id');
      if (id !== null) recovering.add(id);
    }
    await pace.restIfDue();
  }
  return isReply ? { registered, recovering } : null;
}
