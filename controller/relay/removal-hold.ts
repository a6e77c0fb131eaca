import { isMass } from '../plan/mass.ts';

export interface Release {
  /** What may be removed now. */
  readonly go: readonly string[];
  /** What is held: too much would go at once, and no source said so by name. */
  readonly held: ReadonlySet<string>;
}

/**
 * Holds the removal of published apps when too many would go at once, only because the sources do not mention them
 * (rule 4): on hosts that read what a relay publishes, a deletion counts as said by name.
 */
export class RemovalHold {
  readonly #holdMs: number;
  /** What is held, since when. */
  #since: ReadonlyMap<string, number> = new Map();
  /** What a source said is gone, or was confirmed to be. */
  readonly #accepted = new Set<string>();

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** A source said by name that these are gone, or all sources were asked again and do not mention them. */
  accept(names: Iterable<string>): void {
    for (const name of names) this.#accepted.add(name);
  }

  /** `surplus`: what is published and not wanted any more, out of `published` in all. */
  release(surplus: readonly string[], published: number, now: number): Release {
    const wanted = new Set(surplus);
    for (const name of this.#accepted) if (!wanted.has(name)) this.#accepted.delete(name);
    const unnamed = surplus.filter((name) => !this.#accepted.has(name));
    const mass = isMass(unnamed.length, published);
    // What is held stays so until it is accepted, or wanted again: fewer than a mass may be left of it.
    const held = new Set(mass ? unnamed : unnamed.filter((name) => this.#since.has(name)));
    this.#since = new Map([...held].map((name) => [name, this.#since.get(name) ?? now]));
    return { go: surplus.filter((name) => !held.has(name)), held };
  }

  /** What has been held for long enough to ask the sources once more. */
  due(now: number): ReadonlySet<string> {
    return new Set([...this.#since].filter(([, at]) => now - at >= this.#holdMs).map(([name]) => name));
  }

  /** What was due and is mentioned again waits for as long once more. */
  postpone(names: ReadonlySet<string>, now: number): void {
    this.#since = new Map([...this.#since].map(([name, at]) => [name, names.has(name) ? now : at]));
  }
}
