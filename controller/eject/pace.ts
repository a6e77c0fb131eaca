/** How often the kernel is read, so that watching takes no more than its share of a processor. */

/** The median of so many reads says what one costs: what else goes on in this thread meanwhile only ever adds to it. */
const READS_COMPARED = 5;
/** More than this a read does not cost, on the slowest of machines: a small table is never read rarely because others are busy. */
const MOST_COST_MS = { read: 2, entry: 0.05 } as const;

/** Of reads during which this thread may have done other things, so that what one costs is an estimate. */
export class CounterPace {
  readonly #costs: number[] = Array.from({ length: READS_COMPARED }, () => 0);

  /** What a read usually costs. */
  get cost(): number {
    return this.#costs.toSorted((a, b) => a - b)[Math.floor(READS_COMPARED / 2)] ?? 0;
  }

  /** A read of so many entries took this much. */
  took(cost: number, entries: number): void {
    this.#costs.shift();
    this.#costs.push(Math.min(cost, MOST_COST_MS.read + MOST_COST_MS.entry * entries));
  }

  /** From the start of one read to that of the next. */
  interval(shortestMs: number, share: number): number {
    return Math.max(shortestMs, this.cost / share);
  }
}

/** A read costs no more than this for each KiB, on the slowest of machines. */
const MOST_COST_PER_KIB_MS = 0.1;

/** Of reads whose cost is measured exactly. */
export class TablePace {
  /** When what reads have cost is paid for, at this share of a processor. */
  #paidAt = 0;
  #interval = 0;

  /** From one read to the next, as far as what the last one cost says. */
  get interval(): number {
    return this.#interval;
  }

  /**
   * When the next read is to be made after one that began then. `lentMs`: by how much it may come before what was read is paid
   * for, since it is to show what the last one left open; later ones pay that back.
   */
  next(
    from: number,
    { cost, bytes }: { readonly cost: number; readonly bytes: number },
    { shortestMs, share, lentMs }: { shortestMs: number; share: number; lentMs: number },
  ): number {
    const counted = Math.min(cost, MOST_COST_MS.read + (MOST_COST_PER_KIB_MS * bytes) / 1_024);
    this.#paidAt = Math.max(this.#paidAt, from) + counted / share;
    const soon = from + shortestMs;
    this.#interval = Math.max(shortestMs, counted / share);
    return this.#paidAt - soon < lentMs ? soon : Math.max(soon, this.#paidAt);
  }
}
