import type { Rejection } from '../../model/app.ts';

/** Whether the task itself could not be read, what changed in it, or another entry: an agent or a framework. */
export type RefusedPart = 'task' | 'update' | 'other';

/** What could not be read, by task; without a task, by path. */
export class RefusedTable {
  readonly #entries = new Map<string, { readonly part: RefusedPart; readonly rejection: Rejection }>();
  readonly #changed: () => void;

  /** `changed` is called after each change. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** An update lacks the definition of its task, so it replaces only what was refused of an earlier update. */
  isTask(key: string): boolean {
    return this.#entries.get(key)?.part === 'task';
  }

  /** A wrong update of an unreadable task is no news. */
  add(key: string, part: RefusedPart, rejection: Rejection): void {
    if (part === 'update' && this.isTask(key)) return;
    this.#entries.set(key, { part, rejection });
    this.#changed();
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#changed();
  }

  clear(): void {
    this.#entries.clear();
    this.#changed();
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
