import type { UnknownPart } from '../../model/snapshot.ts';
import type { TaskFacts } from './facts.ts';
import { taskIdIn } from './read-task.ts';

/** Tasks by key that may be unknown. */
interface Found {
  /** Tasks that could not be read at all, with the reason. */
  readonly refused: Iterable<readonly [key: string, reason: string]>;
  /** Tasks whose framework is not known. */
  readonly unnamed: ReadonlySet<string>;
}

/** Tasks of which something could not be read, and nothing was known before. */
export class UnreadTasks {
  /** Tasks that could be read in part. */
  readonly #partial = new Set<string>();
  /** Tasks that the saved state lacks, although it has all there was: they have served nothing yet. */
  readonly #notSaved = new Set<string>();
  readonly #changed: () => void;

  /** `changed` is called after each change. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Takes a task as it is now; null when it is gone. */
  note(key: string, facts: TaskFacts | null): void {
    const isPartial = facts !== null && (facts.unread?.size ?? 0) > 0 && facts.saved === undefined;
    if (isPartial === this.#partial.has(key)) return;
    if (isPartial) this.#partial.add(key);
    else this.#partial.delete(key);
    this.#changed();
  }

  /** Leaves out, from now on, those of which something would have been saved. */
  leaveOut(found: Found, isUnknown: (id: string) => boolean): void {
    for (const { part } of this.parts(found)) if (!isUnknown(part)) this.#notSaved.add(part);
  }

  parts({ refused, unnamed }: Found): readonly UnknownPart[] {
    const parts = Array.from(refused, ([key, reason]) => ({ part: taskIdIn(key), reason }));
    for (const key of unnamed) parts.push({ part: taskIdIn(key), reason: 'its framework has no known name' });
    for (const key of this.#partial)
      if (!unnamed.has(key)) parts.push({ part: taskIdIn(key), reason: 'not all of it can be read' });
    return parts.filter(({ part }) => !this.#notSaved.has(part));
  }
}
