import type { MesosState } from './state.ts';

/** Names of frameworks by id. */
export class FrameworkTable {
  readonly #names = new Map<string, string>();

  get(id: string): string | undefined {
    return this.#names.get(id);
  }

  /** Returns the name before; undefined for a new one. */
  set(id: string, name: string): string | undefined {
    const before = this.#names.get(id);
    this.#names.set(id, name);
    return before;
  }

  /** Adds all frameworks of a state to those that are known. */
  add({ frameworks }: Pick<MesosState, 'frameworks'>): void {
    for (const [id, name] of frameworks) this.#names.set(id, name);
  }

  /** Keeps the frameworks of a state and those that are `needed`. */
  prune({ frameworks }: Pick<MesosState, 'frameworks'>, needed: ReadonlySet<string>): void {
    for (const id of this.#names.keys()) if (!frameworks.has(id) && !needed.has(id)) this.#names.delete(id);
  }
}
