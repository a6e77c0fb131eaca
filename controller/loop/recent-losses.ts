import type { BackendKey, ServiceKey, Table } from '../model.ts';
import type { RecentLoss } from '../plan/brake.ts';
import { inRotation, type Losses } from '../plan/losses.ts';

interface Left {
  readonly service: ServiceKey;
  readonly endpoint: BackendKey;
  readonly at: number;
}

/**
 * Backends that left the rotation without being named and were too few to be held. Many such passes in a row, as when apps are
 * read one by one, are one mass removal.
 */
export class RecentLosses {
  readonly #left = new Map<string, Left>();
  readonly #windowMs: number;

  /** `windowMs`: how long a loss counts, in milliseconds. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Adds what a plan takes out of rotation: of each VIP as many backends as it would have fewer. */
  add(losses: Losses, now: number): void {
    for (const [service, { backends, net }] of losses)
      for (const endpoint of [...backends.keys()].slice(0, net))
        this.#left.set(`${service} ${endpoint}`, { service, endpoint, at: now });
  }

  /** What left within the window and is not in rotation again. Times are milliseconds of the monotonic clock. */
  count(observed: Table, now: number): RecentLoss {
    const empty = new Set<ServiceKey>();
    for (const [key, { service, endpoint, at }] of this.#left) {
      const there = observed.get(service);
      if (now - at >= this.#windowMs || (there?.backends.get(endpoint)?.weight ?? 0) > 0)
        this.#left.delete(key);
      else if (inRotation(there) === 0) empty.add(service);
    }
    return { vips: empty.size, backends: this.#left.size };
  }
}
