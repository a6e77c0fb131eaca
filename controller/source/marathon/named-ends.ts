import { BOUNDS } from '../../bounds.ts';
import type { App } from '../../model.ts';
import type { NamedEnd } from './events.ts';

/** Which tasks of an app or pod events named as ended: those with these ids, or all of it. */
export type Ended = ReadonlySet<string> | 'all';

/**
 * What events named as ended, until a read of the app or pod no longer has it. What is missing in an answer otherwise may only
 * have been left out: a Marathon that has just become the leader knows apps before their tasks.
 */
export class NamedEnds {
  /** Ids of tasks by app or pod. */
  readonly #tasks = new Map<string, Set<string>>();
  /** Apps and pods that were named as a whole. */
  readonly #whole = new Set<string>();
  #size = 0;

  /** `known`: the app or pod as it was read last. */
  add({ id, task }: NamedEnd, known: App | undefined): void {
    const ended = task === null ? (known?.tasks.map((each) => each.id) ?? []) : [task];
    this.#size += 1 + ended.length;
    // Events about apps that nobody reads must not fill the memory. What is forgotten counts as not named.
    if (this.#size > BOUNDS.items) this.#clear();
    this.#tasks.set(id, new Set([...(this.#tasks.get(id) ?? NONE), ...ended]));
    if (task === null) this.#whole.add(id);
  }

  /** What was named of an app or pod. `found`: the result of a read; null when Marathon does not have it. */
  of(id: string, found: App | null): Ended {
    return found === null && this.#whole.has(id) ? 'all' : (this.#tasks.get(id) ?? NONE);
  }

  /** Takes the result of a read: what it lacks has been used, and an app that was made again is another one. */
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
