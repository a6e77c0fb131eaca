/** Decides how often to read the kernel, so that watching stays within its share of a CPU. */

/** The cost of a read is the median of this many, since other work of this thread only ever adds to the measured time. */
const READS_COMPARED = 5;
/** Maximum cost of a read, even on the slowest host: a busy host must not make reads of a small table rare. */
const MAX_COST_MS = { read: 2, entry: 0.05 } as const;

/** Pace for reads during which this thread may do other work, so that their cost is only an estimate. */
export class CounterPace {
  readonly #costs: number[] = Array.from({ length: READS_COMPARED }, () => 0);

  /** Usual cost of a read, in milliseconds. */
  get cost(): number {
    return this.#costs.toSorted((a, b) => a - b)[Math.floor(READS_COMPARED / 2)] ?? 0;
  }

  /** Records the cost of a read, in milliseconds, and its number of entries. */
  record(cost: number, entries: number): void {
    this.#costs.shift();
    this.#costs.push(Math.min(cost, MAX_COST_MS.read + MAX_COST_MS.entry * entries));
  }

  /** Milliseconds from the start of one read to the start of the next. */
  interval(shortestMs: number, share: number): number {
    return Math.max(shortestMs, this.cost / share);
  }
}

/** Maximum cost per KiB read, even on the slowest host. */
const MAX_COST_PER_KIB_MS = 0.1;

/** Pace for reads whose CPU time is measured exactly. */
export class TablePace {
  /** When the cost of past reads is paid off, at the allowed share of a CPU. */
  #paidAt = 0;
  #interval = 0;

  /** Milliseconds from one read to the next that the cost of the last one allows. */
  get interval(): number {
    return this.#interval;
  }

  /**
   * When to read next, after a read that began at `from`, in milliseconds of the same clock. `lentMs`: how much earlier than
   * its budget allows that read may come, to settle what the last one left open. Later reads pay that back.
   */
  next(
    from: number,
    { cost, bytes }: { readonly cost: number; readonly bytes: number },
    { shortestMs, share, lentMs }: { shortestMs: number; share: number; lentMs: number },
  ): number {
    const counted = Math.min(cost, MAX_COST_MS.read + (MAX_COST_PER_KIB_MS * bytes) / 1_024);
    this.#paidAt = Math.max(this.#paidAt, from) + counted / share;
    const soon = from + shortestMs;
    this.#interval = Math.max(shortestMs, counted / share);
    return this.#paidAt - soon < lentMs ? soon : Math.max(soon, this.#paidAt);
  }
}
