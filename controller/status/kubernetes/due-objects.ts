const BUCKET_MS = 1_000;

/** Keys of objects whose status is to be looked at, each once, now or at a time. */
export class DueObjects {
  readonly #now = new Set<string>();
  /** By the second, so that what waits costs nothing until then. */
  readonly #later = new Map<number, Set<string>>();

  add(key: string): void {
    this.#now.add(key);
  }

  /** Looks at it again at `at`, in milliseconds of the same clock as that of `release`; up to a second later. */
  postpone(key: string, at: number): void {
    const bucket = Math.ceil(at / BUCKET_MS);
    this.#later.set(bucket, (this.#later.get(bucket) ?? new Set()).add(key));
  }

  /** Makes due what was postponed until now. */
  release(now: number): void {
    for (const [bucket, keys] of this.#later) {
      if (bucket * BUCKET_MS > now) continue;
      this.#later.delete(bucket);
      for (const key of keys) this.#now.add(key);
    }
  }

  /** The next one, which is due no more; undefined: there is none. */
  take(): string | undefined {
    const [key] = this.#now;
    if (key !== undefined) this.#now.delete(key);
    return key;
  }
}
