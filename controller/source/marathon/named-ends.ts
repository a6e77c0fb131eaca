import { BOUNDS } from '../../input/bounds.ts';
import type { App } from '../../model/app.ts';
import type { NamedEnd } from './events.ts';

/** The tasks of an app or pod that events named as ended: those with these ids, or all. */
export type Ended = ReadonlySet<string> | 'all';

/**
 * The tasks, apps and pods that events named as ended, until a read shows that they are gone, or that the event was wrong: a
 * read that began later has the task running. Anything else missing in an answer may only have been left out: a newly elected
 * leader knows apps before their tasks.
 */
export class NamedEnds {
  /**
   * By app or pod and by task: the number of the last read that had begun when the task was named; infinite while it is being
   * killed.
   */
  readonly #tasks = new Map<string, Map<string, number>>();
  /** Apps and pods named as a whole, and the number of the last read that had begun by then. */
  readonly #whole = new Map<string, number>();
  #size = 0;

  /** `known` is the app or pod as last read; `read` the number of the last read that has begun. */
  add({ id, task, isOver }: NamedEnd, known: App | undefined, read: number): void {
    const ended = task === null ? (known?.tasks.map((each) => each.id) ?? []) : [task];
    const at = isOver ? read : Number.POSITIVE_INFINITY;
    // An app may have tens of thousands of tasks, and each an event of its own: a copy per event would take minutes.
    const tasks = this.#tasks.get(id) ?? new Map<string, number>();
    this.#size -= tasks.size;
    for (const each of ended) tasks.set(each, at);
    this.#size += tasks.size;
    if (tasks.size > 0) this.#tasks.set(id, tasks);
    if (task === null) this.#whole.set(id, read);
    // Events about apps that are never read must not exhaust memory. Forgotten ones count as not named.
    if (this.#size + this.#whole.size > BOUNDS.items) this.#clear();
  }

  /** What was named of an app or pod. `found` is the result of a read; null when Marathon does not have it. */
  of(id: string, found: App | null): Ended {
    return found === null && this.#whole.has(id) ? 'all' : new Set(this.#tasks.get(id)?.keys());
  }

  /** Everything that was named, for a list. */
  all(): { readonly tasks: ReadonlySet<string>; readonly apps: readonly string[] } {
    return {
      tasks: new Set([...this.#tasks.values()].flatMap((tasks) => [...tasks.keys()])),
      apps: [...this.#whole.keys()],
    };
  }

  /**
   * Drops what the read with this number confirms or contradicts; `now` is the app or pod as published after it. An app
   * created again under the same id is a new one.
   */
  used(id: string, now: App | undefined, read: number): void {
    const named = this.#tasks.get(id) ?? new Map<string, number>();
    const states = new Map(now?.tasks.map((task) => [task.id, task.state]));
    this.#size -= named.size;
    for (const [task, at] of named)
      if (!states.has(task) || (read > at && states.get(task) === 'running')) named.delete(task);
    this.#size += named.size;
    if (named.size === 0) this.#tasks.delete(id);
    const isConfirmed = now === undefined || (named.size === 0 && read > (this.#whole.get(id) ?? 0));
    if (isConfirmed) this.#whole.delete(id);
  }

  /** Drops what the list with this number confirms. `find`: an app or pod as published after it. */
  usedByList(find: (id: string) => App | undefined, read: number): void {
    for (const id of new Set([...this.#tasks.keys(), ...this.#whole.keys()])) this.used(id, find(id), read);
  }

  #clear(): void {
    this.#tasks.clear();
    this.#whole.clear();
    this.#size = 0;
  }
}
