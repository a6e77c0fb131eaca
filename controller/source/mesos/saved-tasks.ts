import type { LastGood } from '../last-good.ts';
import { NOTHING_READ, type SavedTask, type TaskFacts } from './facts.ts';
import type { FrameworkTable } from './framework-table.ts';
import { frameworkIdIn, taskIdIn } from './read-task.ts';
import type { MesosState } from './state.ts';

/**
 * Tasks that were saved, for the first whole state: what of a task cannot be read there is what it was, since the definition of a
 * task never changes.
 */
export class SavedTasks {
  readonly #lastGood: LastGood;
  /** By task id. */
  #tasks = new Map<string, SavedTask[]>();
  #isOver = false;

  constructor(lastGood: LastGood) {
    this.#lastGood = lastGood;
  }

  /** To be called before the others; costs nothing where all of the state can be read. */
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
  complete(facts: TaskFacts, frameworks: Pick<FrameworkTable, 'get'>): TaskFacts {
    const framework = frameworks.get(facts.frameworkId);
    const isRead = facts.unread === undefined && framework !== undefined;
    const saved = isRead ? null : this.#find(facts.id, framework);
    return saved === null ? facts : { ...facts, saved };
  }

  /** What a task was of which nothing can be read but its key; null where that is not known, or it had ended. */
  find(key: string, frameworks: Pick<FrameworkTable, 'get'>): TaskFacts | null {
    const [frameworkId, id] = [frameworkIdIn(key), taskIdIn(key)];
    const saved = this.#find(id, frameworks.get(frameworkId));
    if (saved === null || saved.task.state === 'gone') return null;
    const { name = '', state, health } = saved.task;
    return { ...NOTHING_READ, id, frameworkId, name, state, health, saved };
  }

  /** Whether nothing is known of a task that cannot be read and was not found. */
  isUnknown(id: string): boolean {
    return this.#lastGood.isUnknown(id);
  }

  /** Call it after the first state: what is new later was not saved. */
  forget(): void {
    this.#isOver = true;
    this.#tasks = new Map();
  }

  #find(id: string, framework: string | undefined): SavedTask | null {
    const all = this.#tasks.get(id) ?? [];
    const [first, another] =
      framework === undefined ? all : all.filter((each) => each.framework === framework);
    return first === undefined || another !== undefined ? null : first;
  }
}
