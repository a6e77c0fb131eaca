/** Decisions: why a backend or a service is not yet, or not, as the sources want it. Each is recorded where it is made. */

import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { Step } from '../model/kernel.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';

/**
 * `mass removal`: the brake holds it. `draining`: its connections may end. `last in rotation`: its replacement could not be
 * added. `postponed`: a write failed, or waits for one that failed. `refused`: the kernel does not accept its address as a
 * destination. `ejected`: it answers neither clients nor probes of this host. `slow start`: it is new in rotation and grows
 * to its weight. `nearness`: nearer backends are in rotation, but not for long enough yet. `unknown part`: no
 * source claims it, and it may belong to a part of a source that could not be read since the start.
 */
export type DecisionRule =
  | 'mass removal'
  | 'draining'
  | 'last in rotation'
  | 'postponed'
  | 'refused'
  | 'ejected'
  | 'slow start'
  | 'nearness'
  | 'unknown part';

/** Times are milliseconds of the monotonic clock. */
export interface Decision {
  readonly rule: DecisionRule;
  /** When it was first decided. When missing, the recorder fills in the time of the first pass that decided so. */
  readonly since?: number;
  /** Why the rule applies, as text; absent when the rule says it all. */
  readonly reason?: string;
  /** What ends it, as text. */
  readonly endsWhen: string;
  /** When it ends at the latest or is reviewed; null when no time is set. */
  readonly endsAt: number | null;
}

/** By service, then by backend; null is the service itself. */
export type Decisions = ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey | null, Decision>>;

/** Collects decisions. The first decision about a backend or service counts. */
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

  /** Adds a decision for each backend or service that these steps write. */
  addSteps(steps: readonly Step[], decisionOf: (step: Step) => Decision): void {
    for (const step of steps) {
      const backend = 'backend' in step ? endpointKey(step.backend) : null;
      this.add(serviceKey(step.service), backend, decisionOf(step));
    }
  }
}
