import type { Verdict } from './kernel.ts';
import type { Mishap } from './machine.ts';

/** What goes wrong for a process in the pass that it makes, and whether it lives. */
export class Perils {
  alive = true;
  #mishap: Mishap = {};
  #writes = 0;
  #kernelWrites = 0;

  /** Another pass, with its own mishap. */
  begin(mishap: Mishap): void {
    this.#mishap = mishap;
    this.#writes = this.#kernelWrites = 0;
  }

  get mishap(): Mishap {
    return this.#mishap;
  }

  /** Writes that were made or tried in this pass. */
  get writes(): number {
    return this.#writes;
  }

  /** Before a write to anything but the kernel: throws where the process does not live to make it. */
  write(): void {
    if (!this.#lives()) throw new Error('the process has died');
  }

  /** Before a write to the kernel. */
  admit(): Verdict {
    if (!this.#lives()) return 'die';
    this.#kernelWrites += 1;
    return this.#kernelWrites === this.#mishap.refuseAt ? 'refuse' : 'pass';
  }

  #lives(): boolean {
    if (!this.alive) return false;
    this.#writes += 1;
    if (this.#writes === this.#mishap.dieAt) this.alive = false;
    return this.alive;
  }
}
