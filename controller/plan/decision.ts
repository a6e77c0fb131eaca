/** Why a backend or a service is not, or not yet, as the sources say: recorded where it is decided, VIP by VIP. */

import { type BackendKey, endpointKey, type ServiceKey, type Step, serviceKey } from '../model.ts';

/**
 * `mass removal`: the brake holds it. `draining`: its connections go on. `last in rotation`: its replacement could not be
 * added. `postponed`: a write failed, or waits for one that failed. `refused`: the kernel takes its address for no
 * destination. `ejected`: clients and probes of this host get no answer from it. `slow start`: it came into rotation of
 * late and grows to its weight. `nearness`: nearer backends are waited for before the others leave.
 */
export type DecisionRule =
  | 'mass removal'
  | 'draining'
  | 'last in rotation'
  | 'postponed'
  | 'refused'
  | 'ejected'
  | 'slow start'
  | 'nearness';

/** Times are milliseconds of the monotonic clock. */
export interface Decision {
  readonly rule: DecisionRule;
  /** When it was decided; absent: in this pass, or in an earlier one that decided the same. */
  readonly since?: number;
  /** Why the rule applies, in words; absent where the rule says it all. */
  readonly reason?: string;
  /** What ends it, in words. */
  readonly endsWhen: string;
  /** When it ends at the latest, or is looked at again; null where no time is set. */
  readonly endsAt: number | null;
}

/** Of a service's backends, and of the service itself (null). */
export type Decisions = ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey | null, Decision>>;

/** Decisions as they are made. Where there are several of one backend or service, the first one stays. */
export class DecisionTable {
  readonly #all = new Map<ServiceKey, Map<BackendKey | null, Decision>>();

  get all(): Decisions {
    return this.#all;
  }

  add(service: ServiceKey, backend: BackendKey | null, decision: Decision): void {
    const known = this.#all.get(service) ?? new Map<BackendKey | null, Decision>();
    if (!known.has(backend)) known.set(backend, decision);
    this.#all.set(service, known);
  }

  /** One of each backend or service that these steps write. */
  addSteps(steps: readonly Step[], decisionOf: (step: Step) => Decision): void {
    for (const step of steps) {
      const backend = 'backend' in step ? endpointKey(step.backend) : null;
      this.add(serviceKey(step.service), backend, decisionOf(step));
    }
  }

  addAll(decisions: Decisions): void {
    for (const [service, each] of decisions)
      for (const [backend, decision] of each) this.add(service, backend, decision);
  }
}
