import { ejectedOf } from '../eject/restraint.ts';
import { type Ejections, type TargetKey, targetKey } from '../ejection.ts';
import type { Backend, BackendKey, CalledVip, Desired, Service, ServiceKey } from '../model.ts';
import { type Decisions, DecisionTable } from './decision.ts';

/**
 * What is desired, with weight 0 for each backend that is ejected: it keeps its connections and gets no new ones. As `desired`
 * itself, it changes when that does.
 */
export class WithEjections implements Desired {
  readonly #desired: Desired;
  readonly #services: EjectedServices;

  constructor(desired: Desired, ejections: Ejections) {
    this.#desired = desired;
    this.#services = new EjectedServices(desired, ejections);
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
    return this.#desired.warnings;
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

/** The services that have one of these backends. */
export function* servicesWith(
  services: ReadonlyMap<ServiceKey, Service>,
  targets: ReadonlySet<TargetKey>,
): Generator<ServiceKey> {
  if (targets.size === 0) return;
  for (const [key, { protocol, backends }] of services) {
    for (const target of targets) {
      if (!target.startsWith(`${protocol}/`) || !backends.has(target.slice(protocol.length + 1))) continue;
      yield key;
      break;
    }
  }
}

/** Whether what is at an endpoint leaves this service's rotation because it does not answer. */
export function isEjected(
  { services }: Pick<Desired, 'services'>,
  ejections: Ejections,
): (endpoint: BackendKey, service: ServiceKey) => boolean {
  return (endpoint, key) => {
    const service = ejections.size === 0 ? undefined : services.get(key);
    return service !== undefined && ejectedOf(service, ejections).has(endpoint);
  };
}

/** Why backends of these services are ejected, and when each is probed next. */
export function ejectionDecisions(
  keys: Iterable<ServiceKey>,
  { services }: Pick<Desired, 'services'>,
  ejections: Ejections,
): Decisions {
  const decisions = new DecisionTable();
  if (ejections.size === 0) return decisions.all;
  for (const key of keys) {
    const service = services.get(key);
    if (service === undefined) continue;
    for (const [backend, { since, nextProbe }] of ejectedOf(service, ejections)) {
      const endsWhen =
        nextProbe === null
          ? 'the TCP backends of its agent answer again'
          : 'two probes in a row find that it answers';
      decisions.add(key, backend, { rule: 'ejected', since, endsWhen, endsAt: nextProbe });
    }
  }
  return decisions.all;
}

/** Looks at a service when it is asked for: what is desired changes while a pass goes on. */
class EjectedServices implements ReadonlyMap<ServiceKey, Service> {
  readonly #desired: Pick<Desired, 'services'>;
  readonly #ejections: Ejections;
  /** So that a service stays the same object within a pass. */
  readonly #made = new WeakMap<Service, Service>();

  constructor(desired: Pick<Desired, 'services'>, ejections: Ejections) {
    this.#desired = desired;
    this.#ejections = ejections;
  }

  get size(): number {
    return this.#desired.services.size;
  }

  get(key: ServiceKey): Service | undefined {
    const service = this.#desired.services.get(key);
    return service === undefined ? undefined : this.#of(service);
  }

  has(key: ServiceKey): boolean {
    return this.#desired.services.has(key);
  }

  keys() {
    return this.#desired.services.keys();
  }

  *values(): Generator<Service, undefined> {
    for (const service of this.#desired.services.values()) yield this.#of(service);
    return undefined;
  }

  *entries(): Generator<[ServiceKey, Service], undefined> {
    for (const [key, service] of this.#desired.services) yield [key, this.#of(service)];
    return undefined;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  forEach(each: (service: Service, key: ServiceKey, map: ReadonlyMap<ServiceKey, Service>) => void): void {
    for (const [key, service] of this.entries()) each(service, key, this);
  }

  #of(service: Service): Service {
    const known = this.#made.get(service);
    if (known !== undefined) return known;
    const made = without(service, this.#ejections);
    this.#made.set(service, made);
    return made;
  }
}

function without(service: Service, ejections: Ejections): Service {
  const { protocol } = service;
  if (![...service.backends.keys()].some((key) => ejections.has(targetKey(protocol, key)))) return service;
  const ejected = ejectedOf(service, ejections);
  if (ejected.size === 0) return service;
  const backends = new Map<BackendKey, Backend>(service.backends);
  for (const [key, { reason }] of ejected) {
    const backend = backends.get(key);
    if (backend !== undefined) backends.set(key, { ...backend, weight: 0, reason: `ejected: ${reason}` });
  }
  return { ...service, backends };
}
