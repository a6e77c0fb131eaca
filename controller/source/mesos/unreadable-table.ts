import type { Rejection } from '../../model/app.ts';
import type { UnknownPart } from '../../model/snapshot.ts';
import type { TaskFacts } from './facts.ts';
import { taskIdIn } from './read-task.ts';

/** Whether the task itself could not be read, what changed in it, or another entry: an agent or a framework. */
export type UnreadablePart = 'task' | 'update' | 'other';

/** The tasks that a cluster knows by key, and those of them whose framework is not known. */
interface KnownTasks {
  readonly has: (key: string) => boolean;
  readonly unnamed: ReadonlySet<string>;
}

/** What could not be read, by task; without a task, by path. */
export class UnreadableTable {
  readonly #entries = new Map<string, { readonly part: UnreadablePart; readonly rejection: Rejection }>();
  /** Tasks that could be read in part, and of which nothing was known before. */
  readonly #partial = new Set<string>();
  /** Ids of tasks that the saved state lacks, although it has all there was: they have served nothing yet. */
  readonly #notSaved = new Set<string>();
  readonly #known: KnownTasks;
  readonly #changed: () => void;

  /** `changed` is called after each change. */
  constructor(known: KnownTasks, changed: () => void) {
    this.#known = known;
    this.#changed = changed;
  }

  /** Whether the entry is about the task itself. An update lacks the task's definition, so it does not replace such an entry. */
  isTask(key: string): boolean {
    return this.#entries.get(key)?.part === 'task';
  }

  /** Adds an entry. An invalid update of a task that cannot be read anyway changes nothing. */
  add(key: string, part: UnreadablePart, rejection: Rejection): void {
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

  /** Records what could be read of a task; null if the task is gone. */
  note(key: string, facts: TaskFacts | null): void {
    const isPartial = facts !== null && (facts.unread?.size ?? 0) > 0 && facts.saved === undefined;
    if (isPartial === this.#partial.has(key)) return;
    if (isPartial) this.#partial.add(key);
    else this.#partial.delete(key);
    this.#changed();
  }

  /** What has no id is reported with the name of the `source`. */
  rejections(source: string): readonly Rejection[] {
    return [...this.#entries.values()].map(({ rejection }) =>
      rejection.app === '' ? { ...rejection, app: source } : rejection,
    );
  }

  /** Tasks of which something could not be read, and nothing was known before. */
  unknown(): readonly UnknownPart[] {
    const { has, unnamed } = this.#known;
    const parts: UnknownPart[] = [];
    for (const [key, { part, rejection }] of this.#entries)
      if (part === 'task' && !has(key)) parts.push({ part: taskIdIn(key), reason: rejection.reason });
    for (const key of unnamed) parts.push({ part: taskIdIn(key), reason: 'its framework has no known name' });
    for (const key of this.#partial)
      if (!unnamed.has(key)) parts.push({ part: taskIdIn(key), reason: 'not all of it can be read' });
    return parts.filter(({ part }) => !this.#notSaved.has(part));
  }

  /** From now on leaves out of `unknown` the tasks that the saved state would contain if they had served anything. */
  leaveOutSaved(isUnknown: (id: string) => boolean): void {
    for (const { part } of this.unknown()) if (!isUnknown(part)) this.#notSaved.add(part);
  }
}
