/** A map from keys to sets of values. Empty sets are removed. */
export class SetMap<Key, Value> {
  readonly #sets = new Map<Key, Set<Value>>();

  /** The values of a key; empty where there are none. */
  get(key: Key): ReadonlySet<Value> {
    return this.#sets.get(key) ?? new Set();
  }

  add(key: Key, value: Value): void {
    const values = this.#sets.get(key);
    if (values === undefined) this.#sets.set(key, new Set([value]));
    else values.add(value);
  }

  /** A value that is not there is no error. */
  delete(key: Key, value: Value): void {
    const values = this.#sets.get(key);
    if (values?.delete(value) && values.size === 0) this.#sets.delete(key);
  }
}
