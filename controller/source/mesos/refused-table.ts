import type { Rejection } from '../../model.ts';

/** Whether the task itself could not be read, what changed in it, or another entry: an agent or a framework. */
export type RefusedPart = 'task' | 'update' | 'other';

/** What could not be read, by task; without a task, by path. */
export class RefusedTable {
  readonly #entries = new Map<string, { readonly part: RefusedPart; readonly rejection: Rejection }>();

  /** An update lacks the definition of its task, so it replaces only what was refused of an earlier update. */
  isTask(key: string): boolean {
    return this.#entries.get(key)?.part === 'task';
  }

  /** Returns whether this is news: a wrong update of an unreadable task is not. */
  add(key: string, part: RefusedPart, rejection: Rejection): boolean {
    if (part === 'update' && this.isTask(key)) return false;
    this.#entries.set(key, { part, rejection });
    return true;
  }

  /** Returns whether it was there. */
  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The tasks that could not be read themselves, with the reason. */
  *tasks(): Generator<readonly [key: string, reason: string]> {
    for (const [key, { part, rejection }] of this.#entries)
      if (part === 'task') yield [key, rejection.reason];
  }

  /** What has no id is reported with the name of the `source`. */
  rejections(source: string): readonly Rejection[] {
    return [...this.#entries.values()].map(({ rejection }) =>
      rejection.app === '' ? { ...rejection, app: source } : rejection,
    );
  }
}
