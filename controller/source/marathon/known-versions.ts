/**
 * A definition and the first and last version known to share it: versions are times in a form that sorts as
 * text.
 */
interface Known<Definition> {
  readonly from: string;
  readonly to: string;
  /** `gone`: Marathon no longer has it. */
  readonly definition: Definition | 'gone';
}

/**
 * Remembers what the versions of each app declared. What was the newest definition yesterday is the one that
 * old tasks run during a deployment, so most of them need not be requested.
 */
export class KnownVersions<Definition> {
  readonly #byId = new Map<string, readonly Known<Definition>[]>();

  find(id: string, version: string): Definition | 'gone' | undefined {
    return this.#byId.get(id)?.find(({ from, to }) => from <= version && version <= to)?.definition;
  }

  /**
   * `define` is called only when no version from `from` on is known yet; all from `from` to `to` declare the
   * same.
   */
  remember(id: string, from: string, to: string, define: () => Definition | 'gone'): void {
    const known = this.#byId.get(id) ?? [];
    const same = known.find((entry) => entry.from === from);
    const entry = same ? { ...same, to: to > same.to ? to : same.to } : { from, to, definition: define() };
    this.#byId.set(id, [...known.filter((other) => other !== same), entry]);
  }

  /** Forgets the versions of this app that hold none of those in use. */
  prune(id: string, inUse: readonly string[]): void {
    const known = this.#byId.get(id);
    if (known === undefined || known.length < 2) return;
    this.#byId.set(
      id,
      known.filter(({ from, to }) => inUse.some((version) => from <= version && version <= to)),
    );
  }

  /** Forgets apps for which `exists` is false. */
  pruneApps(exists: (id: string) => boolean): void {
    for (const id of this.#byId.keys()) if (!exists(id)) this.#byId.delete(id);
  }
}
