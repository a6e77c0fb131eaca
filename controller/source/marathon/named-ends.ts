import { BOUNDS } from '../../bounds.ts';
import type { App } from '../../model.ts';
import type { NamedEnd } from './events.ts';

/** The tasks of an app or pod that events named as ended: those with these ids, or all. */
export type Ended = ReadonlySet<string> | 'all';

/**
 * The tasks, apps and pods that events named as ended, until a read shows that they are gone. Anything else missing in
 * an answer may only have been left out: a newly elected leader knows apps before their tasks.
 */
export class NamedEnds {
  /** Task ids by app or pod. */
  readonly #tasks = new Map<string, Set<string>>();
  /** Apps and pods named as a whole. */
  readonly #whole = new Set<string>();
  #size = 0;

  /** `known` is the app or pod as last read. */
  add({ id, task }: NamedEnd, known: App | undefined): void {
    const ended = task === null ? (known?.tasks.map((each) => each.id) ?? []) : [task];
    this.#size += 1 + ended.length;
    // Events about apps that are never read must not exhaust memory. Forgotten ones count as not named.
    if (this.#size > BOUNDS.items) this.#clear();
    this.#tasks.set(id, new Set([...(this.#tasks.get(id) ?? NONE), ...ended]));
    if (task === null) this.#whole.add(id);
  }

  /** What was named of an app or pod. `found` is the result of a read; null when Marathon does not have it. */
  of(id: string, found: App | null): Ended {
    return found === null && this.#whole.has(id) ? 'all' : (this.#tasks.get(id) ?? NONE);
  }

  /**
   * Takes the result of a read and drops the ends that it confirms; an app created again under the same id is a new
   * one.
   */
  used(id: string, found: App | null): void {
    const left = new Set(found?.tasks.map((task) => task.id)).intersection(this.#tasks.get(id) ?? NONE);
    if (left.size > 0) this.#tasks.set(id, left);
    else {
      this.#tasks.delete(id);
      this.#whole.delete(id);
    }
    if (this.#tasks.size === 0) this.#size = 0;
  }

  #clear(): void {
    this.#tasks.clear();
    this.#whole.clear();
    this.#size = 0;
  }
}

const NONE: ReadonlySet<string> = new Set();
