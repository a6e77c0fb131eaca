/** Who leads: several masters serve the same state, and only one of them has the event stream. */

export class Masters {
  /** `host:port` of each, in the order of their start. */
  readonly addresses: string[] = [];
  /** Called when leadership is lost: streams end, health results go. */
  onLost: () => void = () => {};
  #leader = 0;
  #electing = false;
  #timer: NodeJS.Timeout | undefined;

  /** null while a leader is being elected. */
  get leader(): string | null {
    return this.#electing ? null : (this.addresses[this.#leader] ?? null);
  }

  leads(index: number): boolean {
    return !this.#electing && index === this.#leader;
  }

  /** The next master takes over, after an election of that length: infinite until `endElection`. With one master it leads again. */
  elect(electionMs = 0): void {
    clearTimeout(this.#timer);
    this.#leader = (this.#leader + 1) % this.addresses.length;
    this.#electing = electionMs > 0;
    if (this.#electing && electionMs < Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(() => this.endElection(), electionMs);
    this.onLost();
  }

  endElection(): void {
    this.#electing = false;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
