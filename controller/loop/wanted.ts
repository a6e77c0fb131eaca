import type { Desired } from '../model/desired.ts';
import type { Ejection, Ejections } from '../model/ejection.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Table } from '../model/kernel.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import { eachInSlices, type Pace } from '../pace.ts';
import type { DecisionTable } from '../plan/decision.ts';
import { decideEjected, ejectedOf, withEjected } from '../plan/ejected.ts';
import { advanceRamps, decideRamps, nextStepOf, type Ramps, rampsIn, weigh } from '../plan/slow-start.ts';
import { earliest } from '../time.ts';
import { type HostFacts, Nearest, type Places } from './nearness.ts';

/** Steps of slow start that are due within so many milliseconds are made by one pass. */
const TOGETHER_MS = 100;

/** A service with ejected backends or with slow start. */
interface Row {
  readonly ejected: ReadonlyMap<BackendKey, Ejection>;
  /** The service before slow start. */
  readonly full: Service;
  /** As of the last `advance`; undefined without slow start. */
  readonly ramps: Ramps | undefined;
}

/**
 * The services as one kernel table should have them: those of the sources, with weight 0 for ejected backends, restricted to
 * the nearest backends where a VIP prefers these, and with the weights of slow start.
 */
export class Wanted {
  readonly #services = new Map<ServiceKey, Service>();
  /** Only for services that have ejected backends or slow start. */
  readonly #rows = new Map<ServiceKey, Row>();
  /** Services with a backend below full weight. */
  readonly #growing = new Set<ServiceKey>();
  /** The tiers of services that prefer their nearest backends. */
  readonly nearest: Nearest;
  readonly #fullWeightAtOnce: boolean;
  /** The desired state that all services come from. */
  #source: Desired | null = null;

  constructor(facts: HostFacts, places: Places, fullWeightAtOnce: boolean) {
    this.nearest = new Nearest(facts, places);
    this.#fullWeightAtOnce = fullWeightAtOnce;
  }

  /** The desired state of the sources with the services of this table instead. It follows later changes of both. */
  of(source: Desired): Desired {
    return withServices(source, this.#services, () => this.nearest.warnings());
  }

  /** Services to update although their sources changed nothing: a wait for a nearer tier or a step of slow start is over. */
  due(observed: Table, now: number): ReadonlySet<ServiceKey> {
    const due = this.nearest.due(now);
    for (const key of this.#growing) {
      const next = this.#nextStep(key, observed);
      if (next !== null && next <= now) due.add(key);
    }
    return due;
  }

  /** When the next step of slow start is due; null when no backend in the kernel is below full weight. */
  nextDue(observed: Table): number | null {
    let next: number | null = null;
    for (const key of this.#growing) next = earliest(next, this.#nextStep(key, observed));
    return next === null ? null : Math.ceil(next / TOGETHER_MS) * TOGETHER_MS;
  }

  /** Updates services that changed in the sources, that have other ejected backends, or that are `due`. */
  async update(
    keys: ReadonlySet<ServiceKey>,
    source: Desired,
    ejections: Ejections,
    now: number,
    pace: Pace,
  ): Promise<void> {
    const isNewSource = this.#source !== source;
    this.#source = source;
    const changed = isNewSource ? new Set([...this.#services.keys(), ...source.services.keys()]) : keys;
    const update = (key: ServiceKey) => {
      const service = source.services.get(key);
      const ejected = service === undefined ? NONE_EJECTED : ejectedOf(service, ejections);
      const near = this.nearest.choose(key, service && withEjected(service, ejected), now);
      this.#put(key, near, ejected, this.#rows.get(key)?.ramps);
      return near?.slowStartSeconds === undefined ? 1 : near.backends.size;
    };
    await eachInSlices(changed, update, pace);
  }

  /** Advances the slow start of these services, as far as the kernel's weights and the time say. */
  async advance(keys: Iterable<ServiceKey>, observed: Table, now: number, pace: Pace): Promise<void> {
    if (this.#fullWeightAtOnce) return;
    const advance = (key: ServiceKey) => {
      const row = this.#rows.get(key);
      if (row === undefined || row.full.slowStartSeconds === undefined) return 1;
      const ramps = advanceRamps(row.full, observed.get(key), row.ramps, now);
      if (ramps !== row.ramps) this.#put(key, row.full, row.ejected, ramps);
      return 1;
    };
    await eachInSlices(keys, advance, pace);
  }

  /** Whether this backend of the service has weight 0 because it is ejected. */
  isEjected(endpoint: BackendKey, service: ServiceKey): boolean {
    return this.#rows.get(service)?.ejected.has(endpoint) === true;
  }

  /** Number of backends below full weight. */
  get growing(): number {
    let count = 0;
    for (const key of this.#growing) count += rampsIn(this.#rows.get(key)?.ramps);
    return count;
  }

  /** Adds decisions about ejected backends, waits for a nearer tier, and backends below full weight of these services. */
  decide(decisions: DecisionTable, keys: Iterable<ServiceKey>): void {
    for (const key of keys) {
      const row = this.#rows.get(key);
      if (row !== undefined) decideEjected(decisions, key, row.ejected);
      this.nearest.decide(decisions, key);
      if (row?.ramps !== undefined) decideRamps(decisions, key, row.ramps);
    }
  }

  /** `full`: the service before slow start; undefined when it is no longer desired. */
  #put(key: ServiceKey, full: Service | undefined, ejected: Row['ejected'], before: Row['ramps']): void {
    if (full === undefined) this.#services.delete(key);
    const isSlow = full?.slowStartSeconds !== undefined;
    const ramps = isSlow ? before : undefined;
    if (full !== undefined) this.#services.set(key, isSlow ? weigh(full, ramps) : full);
    if (full !== undefined && (isSlow || ejected.size > 0)) this.#rows.set(key, { ejected, full, ramps });
    else this.#rows.delete(key);
    if (rampsIn(ramps) > 0) this.#growing.add(key);
    else this.#growing.delete(key);
  }

  #nextStep(key: ServiceKey, observed: Table): number | null {
    const ramps = this.#rows.get(key)?.ramps;
    return ramps === undefined ? null : nextStepOf(ramps, observed.get(key));
  }
}

const NONE_EJECTED: Row['ejected'] = new Map();

/** The desired state with other services and additional warnings. Everything else is read from `desired` on demand. */
export function withServices(
  desired: Desired,
  services: ReadonlyMap<ServiceKey, Service>,
  warnings: () => readonly string[] = () => [],
): Desired {
  return {
    services,
    declares: (vip) => desired.declares(vip),
    get withoutService() {
      return desired.withoutService;
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
