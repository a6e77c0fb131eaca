/** For how long at a time a process does not get round to its timers. */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';

/** A stretch without a turn of the event loop, in milliseconds. */
export interface Stall {
  /** As `performance.now()` counts. */
  readonly start: number;
  readonly end: number;
  readonly wall: number;
  /** Processor time of the main thread in it: the rest, others had the processor. */
  readonly cpu: number;
  /** Time in it in which V8 collected garbage and nothing else could run. */
  readonly gc: number;
}

const EVERY_MS = 5;
/** Of a timer that is merely late. */
const WORTH_NOTING_MS = 5;
const NONE: Stall = { start: 0, end: 0, wall: 0, cpu: 0, gc: 0 };

/** Watches from its making until `stop`. */
export class StallWatch {
  readonly #stalls: Omit<Stall, 'gc'>[] = [];
  readonly #pauses: PerformanceEntry[] = [];
  readonly #observer = new PerformanceObserver((list) => this.#pauses.push(...list.getEntries()));
  #last = performance.now();
  #cpu = cpuMs();
  readonly #timer = setInterval(() => this.#look(), EVERY_MS);

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Stretches so far, the one that lasts included. */
  stop(): readonly Stall[] {
    this.#look();
    clearInterval(this.#timer);
    this.#pauses.push(...this.#observer.takeRecords());
    this.#observer.disconnect();
    return this.#stalls.map((stall) => ({ ...stall, gc: this.#collecting(stall) }));
  }

  #collecting({ start, end }: Omit<Stall, 'gc'>): number {
    return this.#pauses.reduce((sum, pause) => {
      const overlap = Math.min(end, pause.startTime + pause.duration) - Math.max(start, pause.startTime);
      return sum + Math.max(0, overlap);
    }, 0);
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
