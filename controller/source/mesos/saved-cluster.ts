import { type AgentAddresses, agentOf } from '../document/agents.ts';
import type { LastGood } from '../last-good.ts';
import type { JoinedTask } from './apps.ts';
import { NOTHING_READ, type SavedTask, type TaskFacts } from './facts.ts';
import type { FrameworkTable } from './framework-table.ts';
import { frameworkIdIn, taskIdIn } from './read-task.ts';
import type { MesosState } from './state.ts';

/**
 * What was saved of a cluster. For the first whole state: what of a task cannot be read there is what it was, since the
 * definition of a task never changes. For the first names that are resolved: the addresses that agents had, since without
 * an address for its agent a task would look as if it had ended.
 */
export class SavedCluster {
  readonly #lastGood: LastGood;
  readonly #frameworks: Pick<FrameworkTable, 'get'>;
  /** By task id. */
  #tasks = new Map<string, SavedTask[]>();
  /** Of agents whose names could not be resolved since, by host name; null before the first call of `withSaved`. */
  #addresses: Map<string, string> | null = null;
  #isOver = false;

  /** `frameworks`: the names that are known now. */
  constructor(lastGood: LastGood, frameworks: Pick<FrameworkTable, 'get'>) {
    this.#lastGood = lastGood;
    this.#frameworks = frameworks;
  }

  /** To be called before those that find tasks; costs nothing where all of the state can be read. */
  async recall({
    tasks,
    rejected,
    frameworks,
  }: Pick<MesosState, 'tasks' | 'rejected' | 'frameworks'>): Promise<void> {
    const isRead = ({ unread, frameworkId }: TaskFacts) =>
      unread === undefined && frameworks.has(frameworkId);
    const isWhole = rejected.size === 0 && tasks.every(isRead);
    if (isWhole || this.#isOver) return;
    await this.#lastGood.load();
    for (const { id, kind, labelsPerTask, framework, tasks: saved } of this.#lastGood.apps) {
      const app = { id, kind, ...(labelsPerTask && { labelsPerTask }) };
      for (const task of saved)
        this.#tasks.set(task.id, [...(this.#tasks.get(task.id) ?? []), { app, task, framework }]);
    }
  }

  /** A task of which something could not be read, its framework's name perhaps, with what it was; any other one as it is. */
  complete(facts: TaskFacts): TaskFacts {
    const framework = this.#frameworks.get(facts.frameworkId);
    const isRead = facts.unread === undefined && framework !== undefined;
    const saved = isRead ? null : this.#find(facts.id, framework);
    return saved === null ? facts : { ...facts, saved };
  }

  /** What a task was of which nothing can be read but its key; null where that is not known, or it had ended. */
  find(key: string): TaskFacts | null {
    const [frameworkId, id] = [frameworkIdIn(key), taskIdIn(key)];
    const saved = this.#find(id, this.#frameworks.get(frameworkId));
    if (saved === null || saved.task.state === 'gone') return null;
    const { name = '', state, health } = saved.task;
    return { ...NOTHING_READ, id, frameworkId, name, state, health, saved };
  }

  /** Whether nothing is known of a task that cannot be read and was not found. */
  isUnknown(id: string): boolean {
    return this.#lastGood.isUnknown(id);
  }

  /** Call it after the first state: a task that is new later was not saved. */
  forgetTasks(): void {
    this.#isOver = true;
    this.#tasks = new Map();
  }

  /**
   * Adds to the resolved addresses those that were saved of others. Asks the disk only in the first call, and only if an
   * agent of these tasks has no address.
   */
  async withSaved(addresses: AgentAddresses, tasks: Iterable<JoinedTask>): Promise<AgentAddresses> {
    this.#addresses ??= await this.#savedAddresses(addresses, tasks);
    for (const host of this.#addresses.keys()) if (addresses.get(host)) this.#addresses.delete(host);
    return this.#addresses.size === 0 ? addresses : new Map([...addresses, ...this.#addresses]);
  }

  /** A task never moves, so its agent is the one that it had. */
  async #savedAddresses(
    addresses: AgentAddresses,
    tasks: Iterable<JoinedTask>,
  ): Promise<Map<string, string>> {
    const hosts = new Map<string, string>();
    for (const { facts, agent } of tasks)
      if (agent !== null && !addresses.get(agent.host)) hosts.set(facts.id, agent.host);
    const found = new Map<string, string>();
    if (hosts.size === 0) return found;
    await this.#lastGood.load();
    for (const app of this.#lastGood.apps) {
      for (const task of app.tasks) {
        const [host, address] = [hosts.get(task.id), agentOf(task)];
        if (host !== undefined && address !== undefined) found.set(host, address);
      }
    }
    return found;
  }

  #find(id: string, framework: string | undefined): SavedTask | null {
    const all = this.#tasks.get(id) ?? [];
    const [first, another] =
      framework === undefined ? all : all.filter((each) => each.framework === framework);
    return first === undefined || another !== undefined ? null : first;
  }
}
