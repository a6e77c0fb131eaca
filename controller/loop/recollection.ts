import { messageOf } from '../errors.ts';
import type { Memory } from '../model.ts';
import type { Log, StateStore } from '../ports.ts';

/** The memory of names and labels: in this process, and on disk for the next one. */
export class Recollection {
  readonly #store: StateStore;
  readonly #log: Log;
  readonly #dryRun: boolean;
  #memory: Memory | null = null;
  /** What the disk has, as far as we know. */
  #saved: Memory | null = null;

  /** A dry run remembers for itself only. */
  constructor(store: StateStore, log: Log, dryRun: boolean) {
    this.#store = store;
    this.#log = log;
    this.#dryRun = dryRun;
  }

  /** Reads the disk, once. */
  async load(): Promise<Memory> {
    if (this.#memory === null) this.#memory = this.#saved = await this.#store.loadMemory();
    return this.#memory;
  }

  /**
   * Remembers; saves what the disk does not have yet. What cannot be saved is logged, and tried again the next time:
   * addresses stay what they are while we run, only a restart without the file could move a collided name.
   */
  async keep(memory: Memory): Promise<void> {
    this.#memory = memory;
    if (this.#dryRun || memory === this.#saved) return;
    try {
      await this.#store.saveMemory(memory);
      this.#saved = memory;
    } catch (error) {
      this.#log.warn('memory of names could not be saved', { error: messageOf(error) });
    }
  }
}
