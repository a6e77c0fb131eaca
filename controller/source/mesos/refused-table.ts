import type { Rejection } from '../../model.ts';

/** Whether the task itself could not be read, or what changed in it. */
export type RefusedPart = 'task' | 'update';

/** What could not be read, by task, or by where it stands. */
export class RefusedTable {
  readonly #entries = new Map<string, { readonly part: RefusedPart; readonly rejection: Rejection }>();

  /** An update does not have the definition of a task, so that it mends no more than the last one. */
  isTask(key: string): boolean {
    return this.#entries.get(key)?.part === 'task';
  }

  /** An update of a task that could not be read says nothing new. Returns whether this does. */
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

  /** What has no id is told with the `source` that it is from. */
  rejections(source: string): readonly Rejection[] {
    return [...this.#entries.values()].map(({ rejection }) =>
      rejection.app === '' ? { ...rejection, app: source } : rejection,
    );
  }
}
