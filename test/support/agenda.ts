/** What is to happen in simulated time, in the order in which it is due. */
export class Agenda {
  readonly #due: { readonly at: number; run(): void }[] = [];

  at(at: number, run: () => void): void {
    this.#due.push({ at, run });
  }

  /** What runs may add more, also for before `now`. */
  runUntil(now: number): void {
    for (;;) {
      const [first] = this.#due.toSorted((one, other) => one.at - other.at);
      if (first === undefined || first.at > now) return;
      this.#due.splice(this.#due.indexOf(first), 1);
      first.run();
    }
  }
}
