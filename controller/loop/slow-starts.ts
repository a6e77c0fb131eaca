import type { Desired } from '../model/desired.ts';
import type { Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import { eachInSlices, type Pace } from '../pace.ts';
import { ChangedServices } from '../plan/desired-with.ts';
import {
  advanceRamps,
  nextStepOf,
  type Ramps,
  type RampsByService,
  rampsIn,
  withSlowStart,
} from '../plan/slow-start.ts';

/** Steps that are due within so many milliseconds are made by one pass. */
const TOGETHER_MS = 100;

/** The ramps of all services in slow start, from pass to pass. */
export class SlowStarts {
  readonly #all = new Map<ServiceKey, Ramps>();
  /** Services with a backend below full weight. */
  readonly #growing = new Set<ServiceKey>();
  readonly #weighed = new ChangedServices<Ramps | undefined>();
  readonly #isOff: boolean;

  /** `isOff`: all backends get their full weight at once. */
  constructor(isOff: boolean) {
    this.#isOff = isOff;
  }

  /** The desired state with the weights of the last `advance`. */
  weigh(desired: Desired): Desired {
    return withSlowStart(desired, this.#all, this.#weighed);
  }

  /** All ramps, as of the last `advance`. */
  get all(): RampsByService {
    return this.#all;
  }

  /** Number of backends below full weight. */
  get backends(): number {
    let count = 0;
    for (const key of this.#growing) {
      const ramps = this.#all.get(key);
      if (ramps !== undefined) count += rampsIn(ramps);
    }
    return count;
  }

  /** Advances the ramps of these services. `services`: the desired ones, with their own weights. */
  async advance(
    keys: Iterable<ServiceKey>,
    { services }: Pick<Desired, 'services'>,
    observed: Table,
    now: number,
    pace: Pace,
  ): Promise<void> {
    const look = (key: ServiceKey) => {
      const service = services.get(key);
      if (service?.slowStartSeconds === undefined) this.#weighed.delete(key);
      if (service?.slowStartSeconds === undefined || this.#isOff) this.#forget(key);
      else this.#put(key, advanceRamps(service, observed.get(key), this.#all.get(key), now));
      return 1;
    };
    await eachInSlices(keys, look, pace);
  }

  /** Services with a backend whose next step is due. */
  *due(observed: Table, now: number): Generator<ServiceKey> {
    for (const key of this.#growing) {
      const next = this.#nextOf(key, observed);
      if (next !== null && next <= now) yield key;
    }
  }

  /** When the next step is due; null when no backend in the kernel is below full weight. */
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
