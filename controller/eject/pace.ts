/** Decides how often to read the kernel, so that watching stays within its share of a CPU. */

/**
 * Maximum cost that a read is charged, several times the cost on a slow host: other work of a busy machine must not make reads of
 * a small table rare.
 */
const MAX_COST_MS = { read: 2, kib: 0.3, entry: 0.05 } as const;

/** The cost to charge for a read of the connection table, in milliseconds. `cost`: its CPU time, measured exactly. */
export function tableCost({ cost, bytes }: { readonly cost: number; readonly bytes: number }): number {
  return Math.min(cost, MAX_COST_MS.read + (MAX_COST_MS.kib * bytes) / 1_024);
}

/** The usual cost is the median of this many reads. */
const READS_COMPARED = 5;
/** A read is charged at most this many times the usual cost. */
const MAX_TIMES_USUAL = 2;

/** Charges reads of counters. This thread may do other work during one, so its measured cost is only an estimate. */
export class CounterCosts {
  /** Costs of the last reads; null before the first one, which compiles code. */
  #last: readonly number[] | null = null;

  /** Usual cost of a read in milliseconds, 0 before the second one. */
  get usual(): number {
    const last = this.#last ?? [];
    return last.toSorted((a, b) => a - b)[Math.floor((last.length - 1) / 2)] ?? 0;
  }

  /** The cost to charge for a read with this CPU time and number of entries, in milliseconds: one to two times the usual cost. */
  count(cost: number, entries: number): number {
    const own = Math.min(cost, MAX_COST_MS.read + MAX_COST_MS.entry * entries);
    this.#last = this.#last === null ? [] : [...this.#last, own].slice(-READS_COMPARED);
    return Math.min(Math.max(own, this.usual), MAX_TIMES_USUAL * this.usual);
  }
}

/** How often to read at most. */
export interface PaceOptions {
  /** Minimum time from the start of one read to the start of the next. */
  readonly shortestMs: number;
  /** Share of a CPU. */
  readonly share: number;
  /**
   * How many milliseconds earlier than its share allows the next read may come, to complete what the last one left open. Later
   * reads pay that back.
   */
  readonly lentMs?: number;
}

/** Keeps reads within a share of a CPU. */
export class ReadPace {
  /** When the cost of past reads is paid off, at the allowed share of a CPU. */
  #paidAt = 0;
  #interval = 0;
  #used = 0;

  /** Milliseconds from one read to the next that the cost of the last one allows. */
  get interval(): number {
    return this.#interval;
  }

  /** Share of a CPU that reads with the cost of the last one take. */
  get used(): number {
    return this.#used;
  }

  /** When to read next, after a read that began at `from` and is charged `cost`, in milliseconds of the same clock. */
  next(from: number, cost: number, { shortestMs, share, lentMs = 0 }: PaceOptions): number {
    this.#paidAt = Math.max(this.#paidAt, from) + cost / share;
    const soon = from + shortestMs;
    this.#interval = Math.max(shortestMs, cost / share);
    this.#used = cost / this.#interval;
    return this.#paidAt - soon < lentMs ? soon : Math.max(soon, this.#paidAt);
  }
}
