import type { JsonObject } from '../marathon/json.ts';
import { statusJson, type TestTask, taskJson } from './task-json.ts';

const TERMINAL = ['FINISHED', 'FAILED', 'KILLED', 'LOST', 'ERROR', 'DROPPED', 'GONE', 'GONE_BY_OPERATOR'];

/** Frameworks, agents and tasks of a cluster, as a master knows them; every change is an event. */
export class TestCluster {
  readonly frameworks = new Map<string, string>();
  /** Host names by id. */
  readonly agents = new Map<string, string>();
  /** Agents that a new master knows of and that have not come back to it. */
  readonly recovered = new Map<string, string>();
  readonly tasks = new Map<string, TestTask>();
  /** Region and zone by id, of agents that have a fault domain. */
  readonly domains = new Map<string, readonly [region: string, zone: string]>();
  readonly #emit: (event: JsonObject) => void;

  constructor(emit: (event: JsonObject) => void) {
    this.#emit = emit;
  }

  addFramework(id: string, name: string): void {
    const type = this.frameworks.has(id) ? 'FRAMEWORK_UPDATED' : 'FRAMEWORK_ADDED';
    this.frameworks.set(id, name);
    this.#emit({ type, [type.toLowerCase()]: { framework: this.#frameworkJson(id, name) } });
  }

  removeFramework(id: string): void {
    const name = this.frameworks.get(id) ?? '';
    this.frameworks.delete(id);
    this.#emit({
      type: 'FRAMEWORK_REMOVED',
      framework_removed: this.#frameworkJson(id, name),
    });
  }

  /** One that a new master waits for comes back by this. */
  addAgent(id: string, hostname: string): void {
    this.recovered.delete(id);
    this.agents.set(id, hostname);
    this.#emit({
      type: 'AGENT_ADDED',
      agent_added: { agent: { agent_info: this.#agentInfo(id, hostname), active: true } },
    });
  }

  removeAgent(id: string): void {
    this.recovered.delete(id);
    this.agents.delete(id);
    this.#emit({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: id } } });
  }

  /** An agent that did not come back in time: a master sends no event for it. */
  giveUp(id: string): void {
    this.recovered.delete(id);
  }

  addTask(task: TestTask): void {
    this.tasks.set(task.id, task);
    this.#emit({ type: 'TASK_ADDED', task_added: { task: taskJson(task) } });
  }

  /** `outer`: the newest state, where the status that goes with it is an older one. */
  updateTask(id: string, change: Partial<TestTask>, outer = change.state): void {
    const before = this.tasks.get(id);
    if (before === undefined) throw new Error(`no task ${id}`);
    const task = { ...before, ...change };
    if (TERMINAL.includes(outer ?? '')) this.tasks.delete(id);
    else this.tasks.set(id, outer === undefined ? task : { ...task, state: outer });
    this.#emit({
      type: 'TASK_UPDATED',
      task_updated: {
        framework_id: { value: task.framework },
        state: `TASK_${outer ?? task.state ?? 'RUNNING'}`,
        status: statusJson({ id, agent: task.agent, ...change }),
      },
    });
  }

  /** A new master takes over: its agents are to come back one by one, with their tasks. */
  failOver(): void {
    for (const [id, hostname] of this.agents) this.recovered.set(id, hostname);
    this.agents.clear();
    this.tasks.clear();
  }

  /** `get_state` of a master. */
  state(): JsonObject {
    const tasks = [...this.tasks.values()];
    return {
      get_tasks: {
        tasks: tasks.filter(({ state }) => state !== 'UNREACHABLE').map(taskJson),
        completed_tasks: [],
        unreachable_tasks: tasks.filter(({ state }) => state === 'UNREACHABLE').map(taskJson),
      },
      get_executors: { executors: [{ executor_info: { name: 'a "} name ]' } }] },
      get_frameworks: {
        frameworks: [...this.frameworks].map(([id, name]) => this.#frameworkJson(id, name)),
      },
      get_agents: {
        agents: [...this.agents].map(([id, hostname]) => ({
          agent_info: this.#agentInfo(id, hostname),
        })),
        recovered_agents: [...this.recovered].map(([id, hostname]) => this.#agentInfo(id, hostname)),
      },
    };
  }

  #agentInfo(id: string, hostname: string): JsonObject {
    const [region, zone] = this.domains.get(id) ?? [];
    const domain = { fault_domain: { region: { name: region ?? '' }, zone: { name: zone ?? '' } } };
    return { id: { value: id }, hostname, port: 5051, ...(region !== undefined && { domain }) };
  }

  #frameworkJson(id: string, name: string): JsonObject {
    return { framework_info: { id: { value: id }, name, user: 'root' }, active: true };
  }
}
