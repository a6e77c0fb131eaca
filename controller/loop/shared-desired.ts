import type { Desired, Service, ServiceKey } from '../model.ts';
import type { PassStatus } from '../pass-status.ts';
import { withServices } from '../plan/desired-with.ts';
import type { PassRequest } from './pass.ts';

/**
 * What is desired, as the host's last pass left it, for passes over other tables: the same for all of them, and whole at every
 * moment, while the host's next pass works on its own.
 */
export class SharedDesired {
  readonly #services = new Map<ServiceKey, Service>();
  /** What the host's passes work on, and the same with the services that they left. */
  #desired: Desired | null = null;
  #shared: Desired | null = null;
  #isComplete = false;
  /** A pass of the host ended early: what it changed is not known. */
  #isBehind = true;

  /** null before a pass of the host has been taken: nothing is known of what is desired. */
  get desired(): Desired | null {
    return this.#shared;
  }

  /** Whether every source had been read completely: without that nothing may be taken away. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Takes what a pass of the host came to, `desired` being what it worked on, without ejections. Returns the services that may
   * be otherwise than before.
   */
  take(
    { complete }: Pick<PassRequest, 'complete'>,
    { error, plan }: Pick<PassStatus, 'error' | 'plan'>,
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
