const NONE: readonly string[] = [];

/** Index of app keys by text. Most texts have a single key, which is stored without a set. */
export class KeyIndex {
  readonly #keys = new Map<string, string | readonly string[]>();

  /** The keys of a text, each once. */
  find(text: string): readonly string[] {
    const found = this.#keys.get(text);
    if (found === undefined) return NONE;
    return typeof found === 'string' ? [found] : found;
  }

  has(text: string): boolean {
    return this.#keys.has(text);
  }

  /** All texts with at least one key. */
  texts(): Iterable<string> {
    return this.#keys.keys();
  }

  add(text: string, key: string): void {
    const others = this.#keys.get(text);
    if (others === undefined) this.#keys.set(text, key);
    else if (typeof others === 'string') {
      if (others !== key) this.#keys.set(text, [others, key]);
    } else if (!others.includes(key)) this.#keys.set(text, [...others, key]);
  }

  delete(text: string, key: string): void {
    const others = this.#keys.get(text);
    if (others === key) this.#keys.delete(text);
    if (others === undefined || typeof others === 'string') return;
    const left = others.filter((other) => other !== key);
    const [only] = left;
    this.#keys.set(text, left.length === 1 && only !== undefined ? only : left);
  }

  /** Replaces the texts of one key. */
  replace(key: string, before: ReadonlySet<string>, now: ReadonlySet<string>): void {
    for (const text of before) if (!now.has(text)) this.delete(text, key);
    for (const text of now) if (!before.has(text)) this.add(text, key);
  }
}
