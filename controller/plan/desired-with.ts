import type { Desired } from '../model/desired.ts';
import type { Service, ServiceKey } from '../model/service.ts';

/** Changes a desired service. Must return the same object for the same service within a pass. */
export type ServiceChange = (service: Service, key: ServiceKey) => Service;

/** The desired state with `change` applied to each service, and with additional `warnings`. */
export function desiredWith(
  desired: Desired,
  change: ServiceChange,
  warnings?: () => readonly string[],
): Desired {
  return withServices(desired, new ServicesWith(desired, change), warnings);
}

/** The desired state with other services. Everything else is read from `desired` on demand. */
export function withServices(
  desired: Desired,
  services: ReadonlyMap<ServiceKey, Service>,
  warnings: () => readonly string[] = () => [],
): Desired {
  return {
    services,
    declares: (vip) => desired.declares(vip),
    get unserved() {
      return desired.unserved;
    },
    get declared() {
      return desired.declared;
    },
    get rejected() {
      return desired.rejected;
    },
    get warnings() {
      const more = warnings();
      return more.length === 0 ? desired.warnings : [...desired.warnings, ...more].sort();
    },
    get memory() {
      return desired.memory;
    },
    get refused() {
      return desired.refused;
    },
  };
}

/**
 * The changed form of each service. It stays the same object as long as the service and the other data that it depends on
 * (`input`) are the same.
 */
export class ChangedServices<Input> {
  readonly #all = new Map<
    ServiceKey,
    { readonly from: Service; readonly input: Input; readonly made: Service }
  >();

  /** The last result for a service, or a new one. */
  of(key: ServiceKey, from: Service, input: Input, make: () => Service): Service {
    const known = this.#all.get(key);
    if (known?.from === from && known.input === input) return known.made;
    const made = make();
    this.#all.set(key, { from, input, made });
    return made;
  }

  delete(key: ServiceKey): void {
    this.#all.delete(key);
  }
}

/** Changes each service on access, since the desired state changes during a pass. */
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
