/** For how long at a time a process does not get round to its timers. */

/** A stretch without a turn of the event loop, in milliseconds. */
export interface Stall {
  /** As `performance.now()` counts. */
  readonly start: number;
  readonly end: number;
  readonly wall: number;
  /** Processor time of the main thread in it: the rest, others had the processor. */
  readonly cpu: number;
}

const EVERY_MS = 5;
/** Of a timer that is merely late. */
const WORTH_NOTING_MS = 5;
const NONE: Stall = { start: 0, end: 0, wall: 0, cpu: 0 };

/** Watches from its making until `stop`. */
export class StallWatch {
  readonly #stalls: Stall[] = [];
  #last = performance.now();
  #cpu = cpuMs();
  readonly #timer = setInterval(() => this.#look(), EVERY_MS);

  /** Stretches so far, the one that lasts included. */
  stop(): readonly Stall[] {
    this.#look();
    clearInterval(this.#timer);
    return this.#stalls;
  }

  #look(): void {
    const now = performance.now();
    const cpu = cpuMs();
    const wall = now - this.#last - EVERY_MS;
    if (wall > WORTH_NOTING_MS)
      this.#stalls.push({ start: now - wall, end: now, wall, cpu: cpu - this.#cpu });
    this.#last = now;
    this.#cpu = cpu;
  }
}

export function longest(stalls: readonly Stall[]): Stall {
  return stalls.reduce((most, stall) => (stall.wall > most.wall ? stall : most), NONE);
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
}
