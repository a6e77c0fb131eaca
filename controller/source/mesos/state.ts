import { overBound } from '../../bounds.ts';
import type { Rejection } from '../../model.ts';
import type { Pace } from '../../pace.ts';
import type { Place } from '../../place.ts';
import { isRecord, rejectionOf, shown } from '../../rejection.ts';
import { checked } from '../../schema-messages.ts';
import { type Found, type Wanted, walkJson } from '../json.ts';
import { factsOf, type TaskFacts } from './facts.ts';
import {
  agentInfoSchema,
  agentSchema,
  frameworkSchema,
  type MesosAgentInfo,
  placeIn,
  taskSchema,
} from './schema.ts';

/** The state of a cluster at one moment, from a master or an agent. */
export interface MesosState {
  /** Names by id. */
  readonly frameworks: ReadonlyMap<string, string>;
  /** Host names by id. */
  readonly agents: ReadonlyMap<string, string>;
  /**
   * Agents that a master knows from its registry but that have not come back since it took over: what runs there is
   * in no list.
   */
  readonly recovered: ReadonlyMap<string, string>;
  /** Where agents of either list stand, by id, as far as they have a fault domain. */
  readonly places: ReadonlyMap<string, Place>;
  readonly tasks: readonly TaskFacts[];
  /** Tasks on agents that the master cannot reach; it keeps them for long. */
  readonly unreachable: readonly TaskFacts[];
  /** Tasks that could not be read, by key. */
  readonly rejected: ReadonlyMap<string, Rejection>;
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
 * Reads a `GET_STATE` reply or a `SUBSCRIBED` event, in turns of a few milliseconds however large it is. Null for any
 * other type and for a reply without state, a `SyntaxError` for what is no JSON or not complete.
 */
export async function readState(bytes: Buffer, pace: Pace): Promise<MesosState | null> {
  const builder = new StateBuilder();
  for (const found of walkJson(bytes, WANTED)) {
    if (found !== null) builder.take(found);
    await pace.restIfDue();
  }
  return builder.state();
}

/** `framework id` and `task id`: what makes a task id unique. */
export function taskKey(frameworkId: string, taskId: string): string {
  return `${frameworkId} ${taskId}`;
}

/** Of a state without any task or framework there are still these objects. */
const ESSENTIAL = ['get_tasks', 'get_frameworks'] as const;

/** A state in the making. */
export class StateBuilder {
  #type: unknown;
  readonly #seen = new Set<string>();
  readonly #frameworks = new Map<string, string>();
  readonly #agents = new Map<string, string>();
  readonly #recovered = new Map<string, string>();
  readonly #places = new Map<string, Place>();
  readonly #tasks: TaskFacts[] = [];
  readonly #unreachable: TaskFacts[] = [];
  readonly #rejected = new Map<string, Rejection>();
  #heartbeatSeconds: number | null = null;

  /** One piece; `path` ends in the list that it is from. */
  take({ path, json, refused }: Found): void {
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
        this.#addTask(json, refused, this.#tasks);
        return;
      case 'unreachable_tasks':
        this.#addTask(json, refused, this.#unreachable);
        return;
      case 'frameworks': {
        const { data } = frameworkSchema.safeParse(json);
        if (data) this.#frameworks.set(data.framework_info.id.value, data.framework_info.name);
        return;
      }
      case 'agents': {
        const { data } = agentSchema.safeParse(json);
        if (data) this.#addAgent(data.agent_info, this.#agents);
        return;
      }
      case 'recovered_agents': {
        const { data } = agentInfoSchema.safeParse(json);
        if (data) this.#addAgent(data, this.#recovered);
        return;
      }
      case 'heartbeat_interval_seconds':
        if (typeof json === 'number' && json > 0) this.#heartbeatSeconds = json;
    }
  }

  /** null when it was no state. */
  state(): MesosState | null {
    const complete = ESSENTIAL.every((name) => this.#seen.has(name));
    if ((this.#type !== 'GET_STATE' && this.#type !== 'SUBSCRIBED') || !complete) return null;
    return {
      frameworks: this.#frameworks,
      agents: this.#agents,
      recovered: this.#recovered,
      places: this.#places,
      tasks: this.#tasks,
      unreachable: this.#unreachable,
      rejected: this.#rejected,
      heartbeatSeconds: this.#heartbeatSeconds,
    };
  }

  #addAgent(info: MesosAgentInfo, list: Map<string, string>): void {
    list.set(info.id.value, info.hostname);
    const place = placeIn(info);
    if (place !== undefined) this.#places.set(info.id.value, place);
  }

  #addTask(json: unknown, refused: string | undefined, list: TaskFacts[]): void {
    const read = refused === undefined ? readTask(json) : refusedTask(json, { at: '', reason: refused });
    if ('task' in read) list.push(read.task);
    else this.#rejected.set(read.key, read.rejection);
  }
}

type ReadTask = { readonly task: TaskFacts } | { readonly key: string; readonly rejection: Rejection };

/** A task of a state or of an event; or why it could not be read, within the bounds of one task. */
export function readTask(json: unknown): ReadTask {
  if (!isRecord(json)) return refusedTask(json, { at: '', reason: `expected a task, got ${shown(json)}` });
  const over = overBound(json);
  if (over !== null) return refusedTask(json, over);
  const { data, error } = checked(taskSchema, json);
  if (error !== undefined) return unreadableTask(json, error);
  return { task: factsOf(data) };
}

function refusedTask(json: unknown, over: Pick<Rejection, 'at' | 'reason'>): ReadTask {
  const id = idIn(json, 'task_id') ?? '';
  const key = taskKey(idIn(json, 'framework_id') ?? '', id);
  return { key, rejection: { app: id, value: '', ...over } };
}

/** Why a task could not be read, and the key of the one that it is, as far as they are known. */
export function unreadableTask(
  json: unknown,
  error: Parameters<typeof rejectionOf>[2],
): { readonly key: string; readonly rejection: Rejection } {
  const framework = idIn(json, 'framework_id') ?? '';
  const id = idIn(json, 'task_id') ?? shown(json);
  return { key: taskKey(framework, id), rejection: rejectionOf(id, json, error) };
}

function idIn(json: unknown, field: string): string | null {
  const id = isRecord(json) ? json[field] : undefined;
  return isRecord(id) && typeof id['value'] === 'string' ? id['value'] : null;
}
