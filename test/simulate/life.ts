/** Where a controller dies: before a write, or right after it took effect. Writes are counted over the whole story. */
export interface Crash {
  readonly write: number;
  readonly when: 'before' | 'after';
}

/** Counts the writes of a story, to the kernel and to the disk, and ends the controller at one of them. */
export class WriteCounter {
  count = 0;
  readonly crash: Crash | null;

  constructor(crash: Crash | null) {
    this.crash = crash;
  }
}

/** One run of the controller: once dead it writes nothing, and nothing that it waits for ever ends. */
export class Life {
  dead = false;
  readonly stopped = new AbortController();
  readonly #writes: WriteCounter;

  constructor(writes: WriteCounter) {
    this.#writes = writes;
  }

  /** Whether the write that is about to be made takes effect. */
  write(): boolean {
    if (this.dead) return false;
    this.#writes.count += 1;
    const { crash, count } = this.#writes;
    if (crash?.write !== count) return true;
    this.end();
    return crash.when === 'after';
  }

  end(): void {
    this.dead = true;
  }

  async unlessDead(): Promise<void> {
    if (this.dead) await new Promise<never>(() => undefined);
  }
}
