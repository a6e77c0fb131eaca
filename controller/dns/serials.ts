import { messageOf } from '../errors.ts';
import type { Clock, Log, StateStore } from '../ports.ts';

type SerialStore = Pick<StateStore, 'loadSerial' | 'saveSerial'>;

/** How many serials are reserved at a time: each reservation is a write to the disk. */
const RESERVED = 256;
/** How long the first serial waits for its reservation. */
const RESERVING_MS = 1_000;

/** Whether serial `a` is later than `b`: serials are 32 bits wide and wrap (RFC 1982, section 3.2). */
export function isLater(a: number, b: number): boolean {
  const ahead = (a - b) >>> 0;
  return ahead !== 0 && ahead < 2 ** 31;
}

/**
 * The serials of the zones. Each is later than the one before, also after a restart with the machine's clock set back: serials
 * are reserved on disk before they are used, and a restart begins after the reserved ones.
 *
 * A disk that is full or hangs stops no answer: then a restart begins at the time of the clock, in seconds since the epoch.
 */
export class Serials {
  readonly #store: SerialStore;
  readonly #log: Log;
  #next: number;
  /** The first serial that is not reserved. */
  #end: number;
  #reserving: Promise<void> | null = null;
  #isWarned = false;

  /** Resolves once the first serials are reserved, or the disk has been waited for. Never rejects. */
  static async open(store: SerialStore, clock: Clock, log: Log): Promise<Serials> {
    const now = Math.floor(clock.epoch() / 1_000) >>> 0;
    const unused = await store.loadSerial();
    const serials = new Serials(unused !== null && isLater(unused, now) ? unused : now, store, log);
    const isReserved = new AbortController();
    await Promise.race([serials.#reserve(), clock.sleep(RESERVING_MS, isReserved.signal)]);
    isReserved.abort(null);
    return serials;
  }

  private constructor(first: number, store: SerialStore, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#next = first;
    this.#end = first;
  }

  /** Takes a serial. */
  next(): number {
    const serial = this.#next;
    this.#next = (serial + 1) >>> 0;
    if (!isLater(this.#end, (serial + RESERVED / 2) >>> 0)) void this.#reserve();
    return serial;
  }

  /** Reserves more, one write at a time. A failure is logged, and retried with the next serial. */
  async #reserve(): Promise<void> {
    this.#reserving ??= this.#save((this.#next + RESERVED) >>> 0).finally(() => {
      this.#reserving = null;
    });
    await this.#reserving;
  }

  async #save(end: number): Promise<void> {
    try {
      await this.#store.saveSerial(end);
      this.#end = end;
      this.#isWarned = false;
    } catch (error) {
      if (!this.#isWarned) this.#log.warn('DNS serial could not be saved', { error: messageOf(error) });
      this.#isWarned = true;
    }
  }
}
