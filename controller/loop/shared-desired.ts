import type { Desired } from '../model/desired.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { UnknownPart } from '../model/snapshot.ts';
import type { PassStatus } from '../pass-status.ts';
import type { PassRequest } from './pass.ts';
import { withServices } from './wanted.ts';

/**
 * The desired state as the host's last pass left it, for passes over other tables. It is consistent at every moment, while
 * the host's next pass changes its own.
 */
export class SharedDesired {
  readonly #services = new Map<ServiceKey, Service>();
  /** The desired state of the host's passes, and the same with the services of the last one. */
  #desired: Desired | null = null;
  #shared: Desired | null = null;
  #isComplete = false;
  #unknown: readonly UnknownPart[] = [];
  /** Whether a pass of the host ended early, so that its changes are unknown. */
  #isBehind = true;

  /** null before the first pass of the host. */
  get desired(): Desired | null {
    return this.#shared;
  }

  /** Whether every source had been read completely. Otherwise nothing may be removed. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What of the sources was unknown. */
  get unknown(): readonly UnknownPart[] {
    return this.#unknown;
  }

  /**
   * Takes the result of a pass of the host. `desired`: what it worked on, without ejections. Returns the services that may have
   * changed.
   */
  take(
    { complete }: Pick<PassRequest, 'complete'>,
    { error, plan, unknown }: Pick<PassStatus, 'error' | 'plan' | 'unknown'>,
    desired: Desired,
  ): ReadonlySet<ServiceKey> {
    if (error !== null) {
      this.#isBehind = true;
      return NONE;
    }
    const isAll = this.#isBehind || this.#desired !== desired;
    if (this.#desired !== desired) this.#shared = withServices(desired, this.#services);
    this.#desired = desired;
    this.#isComplete = complete;
    this.#unknown = unknown;
    this.#isBehind = false;
    const keys = isAll ? new Set([...this.#services.keys(), ...desired.services.keys()]) : plan.keys;
    for (const key of keys) {
      const service = desired.services.get(key);
      if (service === undefined) this.#services.delete(key);
      else this.#services.set(key, service);
    }
    return keys;
  }
}

const NONE: ReadonlySet<ServiceKey> = new Set();
