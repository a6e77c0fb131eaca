import type { CalledVip, Desired, Service, ServiceKey } from '../model.ts';

/** What becomes of a desired service. To be the same object for the same service within a pass. */
export type ServiceChange = (service: Service, key: ServiceKey) => Service;

/** What is desired, with each service as `change` makes it. As `desired` itself, it changes when that does. */
export class DesiredWith implements Desired {
  readonly #desired: Desired;
  readonly #services: ServicesWith;
  readonly #warnings: () => readonly string[];

  /** `warnings`: to be told besides. */
  constructor(desired: Desired, change: ServiceChange, warnings: () => readonly string[] = () => []) {
    this.#desired = desired;
    this.#services = new ServicesWith(desired, change);
    this.#warnings = warnings;
  }

  get services() {
    return this.#services;
  }

  get unserved() {
    return this.#desired.unserved;
  }

  get declared() {
    return this.#desired.declared;
  }

  get rejected() {
    return this.#desired.rejected;
  }

  get warnings() {
    const more = this.#warnings();
    return more.length === 0 ? this.#desired.warnings : [...this.#desired.warnings, ...more].sort();
  }

  get memory() {
    return this.#desired.memory;
  }

  get refused(): ReadonlyMap<string, string> {
    return this.#desired.refused ?? NONE_REFUSED;
  }

  // Bound, since it is handed on by itself.
  readonly declares = (vip: CalledVip): boolean => this.#desired.declares(vip);
}

const NONE_REFUSED: ReadonlyMap<string, string> = new Map();

/** Looks at a service when it is asked for: what is desired changes while a pass goes on. */
class ServicesWith implements ReadonlyMap<ServiceKey, Service> {
  readonly #desired: Pick<Desired, 'services'>;
  readonly #change: ServiceChange;

  constructor(desired: Pick<Desired, 'services'>, change: ServiceChange) {
    this.#desired = desired;
    this.#change = change;
  }

  get size(): number {
    return this.#desired.services.size;
  }

  get(key: ServiceKey): Service | undefined {
    const service = this.#desired.services.get(key);
    return service === undefined ? undefined : this.#change(service, key);
  }

  has(key: ServiceKey): boolean {
    return this.#desired.services.has(key);
  }

  keys() {
    return this.#desired.services.keys();
  }

  *values(): Generator<Service, undefined> {
    for (const [key, service] of this.#desired.services) yield this.#change(service, key);
    return undefined;
  }

  *entries(): Generator<[ServiceKey, Service], undefined> {
    for (const [key, service] of this.#desired.services) yield [key, this.#change(service, key)];
    return undefined;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  forEach(each: (service: Service, key: ServiceKey, map: ReadonlyMap<ServiceKey, Service>) => void): void {
    for (const [key, service] of this.entries()) each(service, key, this);
  }
}
