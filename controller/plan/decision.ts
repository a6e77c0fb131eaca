/** Why a backend is not, or not yet, as the sources say: recorded where it is decided, VIP by VIP. */

import { type BackendKey, endpointKey, type ServiceKey, type Step, serviceKey } from '../model.ts';

/**
 * `mass removal`: the brake holds it. `draining`: its connections go on. `last in rotation`: its replacement could not be
 * added. `postponed`: a write failed, or waits for one that failed. `refused`: the kernel takes its address for no
 * destination. `ejected`: clients and probes of this host get no answer from it.
 */
export type DecisionRule =
  | 'mass removal'
  | 'draining'
  | 'last in rotation'
  | 'postponed'
  | 'refused'
  | 'ejected';

/** Times are milliseconds of the monotonic clock. */
export interface Decision {
  readonly rule: DecisionRule;
  /** When it was decided; absent: in this pass, or in an earlier one that decided the same. */
  readonly since?: number;
  /** What ends it, in words. */
  readonly endsWhen: string;
  /** When it ends at the latest, or is looked at again; null where no time is set. */
  readonly endsAt: number | null;
}

export type Decisions = ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey, Decision>>;

/** Decisions as they are made. Where there are several of one backend, the first one stays. */
export class DecisionTable {
  readonly #all = new Map<ServiceKey, Map<BackendKey, Decision>>();

  get all(): Decisions {
    return this.#all;
  }

  add(service: ServiceKey, backend: BackendKey, decision: Decision): void {
    const known = this.#all.get(service) ?? new Map<BackendKey, Decision>();
    if (!known.has(backend)) known.set(backend, decision);
    this.#all.set(service, known);
  }

  /** The same of each backend that these steps write. */
  addSteps(steps: readonly Step[], decisionOf: (step: Step) => Decision): void {
    for (const step of steps)
      if ('backend' in step) this.add(serviceKey(step.service), endpointKey(step.backend), decisionOf(step));
  }
}
