/** A definition, and the first and last version known to have it. Versions are timestamps that sort as text. */
interface Known<Definition> {
  readonly from: string;
  readonly to: string;
  /** `gone`: Marathon has deleted it. */
  readonly definition: Definition | 'gone';
}

/**
 * Remembers the definitions of each app's versions. Old tasks in a deployment mostly run what was the newest version
 * before, so few versions have to be requested.
 */
export class KnownVersions<Definition> {
  readonly #byId = new Map<string, readonly Known<Definition>[]>();

  find(id: string, version: string): Definition | 'gone' | undefined {
    return this.#byId.get(id)?.find(({ from, to }) => from <= version && version <= to)?.definition;
  }

  /** Records that all versions from `from` to `to` share a definition. Calls `define` only if `from` is new. */
  remember(id: string, from: string, to: string, define: () => Definition | 'gone'): void {
    const known = this.#byId.get(id) ?? [];
    const same = known.find((entry) => entry.from === from);
    const entry = same ? { ...same, to: to > same.to ? to : same.to } : { from, to, definition: define() };
    this.#byId.set(id, [...known.filter((other) => other !== same), entry]);
  }

  /** Forgets the versions of this app that are not in use. */
  prune(id: string, inUse: readonly string[]): void {
    const known = this.#byId.get(id);
    if (known === undefined || known.length < 2) return;
    this.#byId.set(
      id,
      known.filter(({ from, to }) => inUse.some((version) => from <= version && version <= to)),
    );
  }

  /** Forgets apps for which `exists` returns false. */
  pruneApps(exists: (id: string) => boolean): void {
    for (const id of this.#byId.keys()) if (!exists(id)) this.#byId.delete(id);
  }
}
