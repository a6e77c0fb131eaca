import type { Rejection } from '../../model.ts';

type Part = 'task' | 'update';

/** Tasks of which something could not be read, by key: all of it, or the last update. */
export class UnreadableTasks {
  #found = new Map<string, { readonly part: Part; readonly rejection: Rejection }>();

  get rejections(): readonly Rejection[] {
    return [...this.#found.values()].map(({ rejection }) => rejection);
  }

  /** A whole state was read, and these tasks of it could not be. */
  replace(rejected: ReadonlyMap<string, Rejection>): void {
    this.#found = new Map([...rejected].map(([key, rejection]) => [key, { part: 'task', rejection }]));
  }

  /** Returns whether that says more than is known: an update of a task that is unreadable itself does not. */
  add(key: string, part: Part, rejection: Rejection): boolean {
    if (part === 'update' && this.#found.get(key)?.part === 'task') return false;
    this.#found.set(key, { part, rejection });
    return true;
  }

  /** The task was read, or is gone. Returns whether it was unreadable. */
  delete(key: string): boolean {
    return this.#found.delete(key);
  }

  /** An update was read: it has no definition, so a task that is unreadable itself stays so. Returns whether it was one. */
  updated(key: string): boolean {
    return this.#found.get(key)?.part === 'update' && this.#found.delete(key);
  }
}
