/**
 * Runs one job per key at a time and at most `limit` in all. A key that is added while its job runs gets one
 * more run after it, since that job may have looked too early.
 */
export class KeyedPool<Value> {
  #limit: number;
  readonly #job: (key: string, value: Value, signal: AbortSignal) => Promise<void>;
  readonly #waiting = new Map<string, Value>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  /** `job` must not reject. Its signal aborts when the pool is stopped. */
  constructor(limit: number, job: (key: string, value: Value, signal: AbortSignal) => Promise<void>) {
    this.#limit = limit;
    this.#job = job;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** From now on at most so many run at once; those that do run on. */
  limitTo(limit: number): void {
    this.#limit = limit;
    this.#start();
  }

  /** Takes back what waits for its turn. */
  takeWaiting(): ReadonlyMap<string, Value> {
    const waiting = new Map(this.#waiting);
    this.#waiting.clear();
    return waiting;
  }

  add(key: string, value: Value): void {
    if (!this.#waiting.has(key)) this.#waiting.set(key, value);
    this.#start();
  }

  /** Forgets what waits, aborts what runs, and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#waiting.clear();
    this.#stopped.abort();
    await Promise.all(this.#running.values());
  }

  #start(): void {
    for (const [key, value] of this.#waiting) {
      if (this.#running.size >= this.#limit) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      const run = this.#job(key, value, this.#stopped.signal).finally(() => {
        this.#running.delete(key);
        this.#start();
      });
      this.#running.set(key, run);
    }
  }
}
