import type { CalledVip, Declared, Desired, Memory, Rejection, Service, ServiceKey } from '../model.ts';
import type { PassStatus } from '../pass-status.ts';
import type { PassRequest } from './pass.ts';

/**
 * What is desired, as the host's last pass left it, for passes over other tables: the same for all of them, and whole at every
 * moment, while the host's next pass works on its own.
 */
export class SharedDesired implements Desired {
  readonly #services = new Map<ServiceKey, Service>();
  #desired: Desired | null = null;
  #isComplete = false;
  /** A pass of the host ended early: what it changed is not known. */
  #isBehind = true;

  /** Whether a pass of the host has been taken: before, nothing is known of what is desired. */
  get isKnown(): boolean {
    return this.#desired !== null;
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

  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#services;
  }

  // ---- what decides nothing, or is looked at as it is now ------------------------------------------------

  get refused(): ReadonlyMap<string, string> {
    return this.#desired?.refused ?? NONE_REFUSED;
  }

  get unserved(): ReadonlyMap<string, readonly Declared[]> {
    return this.#desired?.unserved ?? new Map();
  }

  get declared(): readonly Declared[] {
    return this.#desired?.declared ?? [];
  }

  get rejected(): readonly Rejection[] {
    return this.#desired?.rejected ?? [];
  }

  get warnings(): readonly string[] {
    return this.#desired?.warnings ?? [];
  }

  get memory(): Memory {
    return this.#desired?.memory ?? NOTHING_REMEMBERED;
  }

  // Bound, since it is handed on by itself.
  readonly declares = (vip: CalledVip): boolean => this.#desired?.declares(vip) ?? false;
}

const NONE: ReadonlySet<ServiceKey> = new Set();
const NONE_REFUSED: ReadonlyMap<string, string> = new Map();
const NOTHING_REMEMBERED: Memory = { addresses: new Map(), labels: new Map() };
