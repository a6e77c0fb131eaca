const BUCKET_MS = 1_000;

/** A queue of the keys of objects whose status is due, now or at a later time, without duplicates. */
export class DueObjects {
  readonly #now = new Set<string>();
  /** By the second, so that postponed keys cost nothing until they are due. */
  readonly #later = new Map<number, Set<string>>();

  add(key: string): void {
    this.#now.add(key);
  }

  /** Makes a key due at `at`, or up to a second later; in milliseconds of the clock that `release` uses. */
  postpone(key: string, at: number): void {
    const bucket = Math.ceil(at / BUCKET_MS);
    this.#later.set(bucket, (this.#later.get(bucket) ?? new Set()).add(key));
  }

  /** Makes the keys due that were postponed until `now`. */
  release(now: number): void {
    for (const [bucket, keys] of this.#later) {
      if (bucket * BUCKET_MS > now) continue;
      this.#later.delete(bucket);
      for (const key of keys) this.#now.add(key);
    }
  }

  /** Removes and returns the next due key; undefined if there is none. */
  take(): string | undefined {
    const [key] = this.#now;
    if (key !== undefined) this.#now.delete(key);
    return key;
  }
}
