/** Ended tasks that are remembered: another source may still list them as running. */
const KEPT = 2_000;

/** Keys of tasks that have ended, as many as are remembered. */
export class EndedTasks {
  /** The longest ago first. */
  readonly #keys = new Set<string>();

  /** Returns the one to forget for it, if there is one. */
  add(key: string): string | null {
    this.#keys.add(key);
    const [oldest] = this.#keys;
    return this.#keys.size > KEPT && oldest !== undefined ? oldest : null;
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }
}
