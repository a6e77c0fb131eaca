import type { Desired, ServiceKey, Table } from '../model.ts';
import { eachInSlices, type Pace } from '../pace.ts';
import {
  advanceRamps,
  nextStepOf,
  type Ramps,
  type RampsByService,
  rampsIn,
  type Weighed,
  withSlowStart,
} from '../plan/slow-start.ts';

/** Steps within so many milliseconds are made by one pass. */
const TOGETHER_MS = 100;

/** Remembers from pass to pass which backends grow to their weight. */
export class SlowStarts {
  readonly #all = new Map<ServiceKey, Ramps>();
  /** Services with a backend that grows. */
  readonly #growing = new Set<ServiceKey>();
  readonly #weighed: Weighed = new WeakMap();
  readonly #isOff: boolean;

  /** `isOff`: every backend has its full weight at once. */
  constructor(isOff: boolean) {
    this.#isOff = isOff;
  }

  /** What is desired, with the weights of backends as of the last `advance`. */
  weigh(desired: Desired): Desired {
    return withSlowStart(desired, this.#all, this.#weighed);
  }

  /** As of the last `advance`. */
  get all(): RampsByService {
    return this.#all;
  }

  /** Backends that grow, in all VIPs. */
  get backends(): number {
    let count = 0;
    for (const key of this.#growing) {
      const ramps = this.#all.get(key);
      if (ramps !== undefined) count += rampsIn(ramps);
    }
    return count;
  }

  /** Looks at these services; `services` are those that are desired, with their own weights. */
  async advance(
    keys: Iterable<ServiceKey>,
    { services }: Pick<Desired, 'services'>,
    observed: Table,
    now: number,
    pace: Pace,
  ): Promise<void> {
    const look = (key: ServiceKey) => {
      const service = services.get(key);
      if (service?.slowStartSeconds === undefined || this.#isOff) this.#forget(key);
      else this.#put(key, advanceRamps(service, observed.get(key), this.#all.get(key), now));
      return 1;
    };
    await eachInSlices(keys, look, pace);
  }

  /** Services of which a backend is due for its next step. */
  *due(observed: Table, now: number): Generator<ServiceKey> {
    for (const key of this.#growing) {
      const next = this.#nextOf(key, observed);
      if (next !== null && next <= now) yield key;
    }
  }

  /** When the next step is due; null where no backend that the kernel has grows. */
  nextDue(observed: Table): number | null {
    let first: number | null = null;
    for (const key of this.#growing) {
      const next = this.#nextOf(key, observed);
      if (next !== null) first = Math.min(first ?? next, next);
    }
    return first === null ? null : Math.ceil(first / TOGETHER_MS) * TOGETHER_MS;
  }

  #nextOf(key: ServiceKey, observed: Table): number | null {
    const ramps = this.#all.get(key);
    return ramps === undefined ? null : nextStepOf(ramps, observed.get(key));
  }

  #put(key: ServiceKey, ramps: Ramps): void {
    this.#all.set(key, ramps);
    if (rampsIn(ramps) > 0) this.#growing.add(key);
    else this.#growing.delete(key);
  }

  #forget(key: ServiceKey): void {
    this.#all.delete(key);
    this.#growing.delete(key);
  }
}
