/** A source that says what the story says; what touches the contract of `AppSource` is here alone. */

import type { Snapshot } from '../../controller/model.ts';
import type { AppSource, Clock, SourceListener } from '../../controller/ports.ts';

export class ScriptedSource implements AppSource {
  readonly name: string;
  readonly #clock: Clock;
  readonly #now: () => Snapshot;
  #listener: SourceListener | null = null;
  /** Reads that were begun, and that of which was told last: a later read wins. */
  #begun = 0;
  #told = 0;
  /** Reads of single apps count only after the whole was read. */
  down = false;

  constructor(name: string, clock: Clock, now: () => Snapshot) {
    this.name = name;
    this.#clock = clock;
    this.#now = now;
  }

  async follow(listener: SourceListener, signal: AbortSignal): Promise<void> {
    this.#listener = listener;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    if (this.#listener === listener) this.#listener = null;
  }

  async read(): Promise<Snapshot> {
    if (this.down) throw new Error('connection refused');
    return this.#now();
  }

  /** Reads now, and tells of it, so many times, once `delayMs` have passed; a read that has been overtaken is not told. */
  async tell(complete: boolean, delayMs: number, times: number): Promise<void> {
    this.down = false;
    this.#begun += 1;
    const read = this.#begun;
    const snapshot = this.#now();
    const since = this.#clock.monotonic();
    if (delayMs > 0) await this.#clock.sleep(delayMs);
    if (read < this.#told) return;
    this.#told = read;
    for (let i = 0; i < times; i += 1) this.#listener?.changed(snapshot, { complete, since });
  }

  fail(): void {
    this.down = true;
    this.#listener?.failed(new Error('connection refused'));
  }
}
