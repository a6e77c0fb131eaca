import { isMass } from '../plan/mass.ts';

export interface Release {
  /** Names that may be removed now. */
  readonly go: readonly string[];
  /** Held names: too many would be removed at once, and no source named them as gone. */
  readonly held: ReadonlySet<string>;
}

/**
 * The mass-removal brake for apps (rule 4): holds the removal of published apps if too many are missing from the sources at once.
 * Hosts do not hold these: for them a deletion that an event reports was named by the source.
 */
export class RemovalHold {
  readonly #holdMs: number;
  /** Held names, with the time since when. */
  #since: ReadonlyMap<string, number> = new Map();
  /** Names that a source reported as gone, or that were confirmed to be. */
  readonly #accepted = new Set<string>();

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Accepts the removal of names that a source reported as gone, or that were still missing when all sources were read again. */
  accept(names: Iterable<string>): void {
    for (const name of names) this.#accepted.add(name);
  }

  /**
   * Decides which of the `surplus` names, of `published` in all, may be removed. `isWhole`: whether the sources have no unknown
   * part; otherwise an unnamed removal is held, however small.
   */
  release(surplus: readonly string[], published: number, now: number, isWhole = true): Release {
    const wanted = new Set(surplus);
    for (const name of this.#accepted) if (!wanted.has(name)) this.#accepted.delete(name);
    const unnamed = surplus.filter((name) => !this.#accepted.has(name));
    const mass = !isWhole || isMass(unnamed.length, published);
    // Held names stay held until they are accepted or wanted again, even if too few are left to count as a mass removal.
    const held = new Set(mass ? unnamed : unnamed.filter((name) => this.#since.has(name)));
    this.#since = new Map([...held].map((name) => [name, this.#since.get(name) ?? now]));
    return { go: surplus.filter((name) => !held.has(name)), held };
  }

  /** Returns the names held for long enough to read the sources again. */
  due(now: number): ReadonlySet<string> {
    return new Set([...this.#since].filter(([, at]) => now - at >= this.#holdMs).map(([name]) => name));
  }

  /** Restarts the wait of names that the sources list again. */
  postpone(names: ReadonlySet<string>, now: number): void {
    this.#since = new Map([...this.#since].map(([name, at]) => [name, names.has(name) ? now : at]));
  }
}
