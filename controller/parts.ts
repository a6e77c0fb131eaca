/** Brings work that comes in parts to its end at once. */
export function atOnce<T>(parts: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/**
 * Tells when pieces of work, each with its cost, have become a part: `if (portion.add(cost)) yield`. Whoever asks for the
 * parts reads a clock after each, which can cost more than a small piece: where the kernel has no fast clock, a system call.
 */
export class Portion {
  readonly #size: number;
  #done = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Whether a part is full with this piece; the next one begins then. */
  add(cost: number): boolean {
    this.#done += cost;
    if (this.#done < this.#size) return false;
    this.#done = 0;
    return true;
  }
}
