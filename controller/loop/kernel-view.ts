import type { ObservedService, Step, Table } from '../model/kernel.ts';
import { type ServiceAddress, type ServiceKey, serviceKey } from '../model/service.ts';
import { eachInSlices, inSlices, Pace } from '../pace.ts';
import { applySteps } from '../plan/after-steps.ts';
import type { IpvsTable } from '../ports.ts';

/** A service that a read found different from its known state. */
export interface Difference {
  /** The known state; undefined when the service was unknown. */
  readonly was: ObservedService | undefined;
  /** Whether a write by this controller with unknown result may be the cause. */
  readonly ours: boolean;
}

/** A read of the whole table in the background. */
interface Reading {
  /** Services written since it began, of which it may have an older state. */
  readonly written: Set<ServiceKey>;
  /** Its result; null while it runs, and when it failed. */
  table: Table | null;
}

/** Single services are read when the table has more than so many for each of them; else the whole table is. */
const SERVICES_PER_READ = 4;

/**
 * The known state of the kernel's table, and the services in it that must be read again (stale).
 *
 * The whole table can be read in the background, which takes long for a large one. What passes write in the meantime is
 * newer than that read, and is kept.
 */
export class KernelView {
  readonly #kernel: IpvsTable;
  readonly #table = new Map<ServiceKey, ObservedService>();
  #isKnown = false;
  /** Services to read again: a step failed, or their connections must be counted. */
  readonly #stale = new Map<ServiceKey, ServiceAddress>();
  /** Services with writes whose result is unknown. */
  readonly #unsure = new Set<ServiceKey>();
  #reading: Reading | null = null;
  #differences = new Map<ServiceKey, Difference>();

  constructor(kernel: IpvsTable) {
    this.#kernel = kernel;
  }

  /** Whether the table is known. Otherwise the whole table must be read. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The known table. It changes in place. */
  get table(): Table {
    return this.#table;
  }

  /**
   * Reads the whole table in the background, for the next `readAll()`. Call it between passes. Never rejects: after a failure
   * `readAll()` reads the table itself, and reports the error.
   */
  async refreshInBackground(): Promise<void> {
    const reading: Reading = { written: new Set(), table: null };
    this.#reading = reading;
    try {
      reading.table = await this.#kernel.observeInBackground((read) =>
        sameAs(this.#table.get(serviceKey(read)), read),
      );
    } catch {
      if (this.#reading === reading) this.#reading = null;
    }
  }

  /**
   * Updates the whole view: from a read in the background, except for services written since; or, without one, by reading the
   * kernel. Resolves with true in the second case, when the view is as current as possible.
   */
  async readAll(): Promise<boolean> {
    const reading = this.#reading;
    this.#reading = null;
    if (!this.#isKnown || reading === null || reading.table === null) {
      await this.#readNow();
      return true;
    }
    await this.#takeAll(reading.table, reading.written);
    await this.reread([]);
    return false;
  }

  /** Reads these services and all stale ones. */
  async reread(services: Iterable<ServiceAddress>): Promise<void> {
    const wanted = new Map(this.#stale);
    for (const service of services) wanted.set(serviceKey(service), service);
    if (wanted.size === 0) return;
    if (wanted.size * SERVICES_PER_READ > this.#table.size) return await this.#readNow();
    const found = await this.#kernel.observe([...wanted.values()]);
    for (const key of wanted.keys()) {
      this.#stale.delete(key);
      // Newer than a read in the background.
      this.#reading?.written.add(key);
      this.#take(key, found.get(key));
    }
  }

  /** The next pass must read these services again. */
  markStale(services: Iterable<ServiceAddress>): void {
    for (const service of services) this.#stale.set(serviceKey(service), service);
  }

  /** Must be called before these steps are applied. */
  markWritten(steps: readonly Step[]): void {
    for (const key of servicesOf(steps)) {
      this.#unsure.add(key);
      this.#reading?.written.add(key);
    }
  }

  /** Takes the result of the marked steps: those that succeeded (`made`) and those that failed. */
  async accept(made: readonly Step[], failed: readonly Step[]): Promise<void> {
    for (const key of servicesOf(made)) this.#unsure.delete(key);
    for (const key of servicesOf(failed)) this.#unsure.add(key);
    let at = 0;
    await inSlices((pause) => {
      while (at < made.length) {
        const some = made.slice(at, at + STEPS_AT_ONCE);
        applySteps(this.#table, some);
        at += some.length;
        if (pause(some.length) && at < made.length) return false;
      }
      return true;
    });
  }

  /** Forgets the known state. */
  forget(): void {
    this.#isKnown = false;
    this.#reading = null;
  }

  /** The services that reads found different from their known state since the last call. Counters are ignored. */
  takeDifferences(): ReadonlyMap<ServiceKey, Difference> {
    const differences = this.#differences;
    this.#differences = new Map();
    return differences;
  }

  async #readNow(): Promise<void> {
    const table = await this.#kernel.observe();
    // A read in the background is older than this one.
    this.#reading = null;
    this.#stale.clear();
    await this.#takeAll(table, NONE);
    this.#isKnown = true;
  }

  async #takeAll(table: Table, except: ReadonlySet<ServiceKey>): Promise<void> {
    const pace = new Pace();
    const take = (key: ServiceKey, service: ObservedService | undefined) => {
      if (!except.has(key)) this.#take(key, service);
      return 1 + (service?.backends.size ?? 0);
    };
    await eachInSlices(table, ([key, service]) => take(key, service), pace);
    await eachInSlices(this.#table.keys(), (key) => (table.has(key) ? 1 : take(key, undefined)), pace);
  }

  #take(key: ServiceKey, read: ObservedService | undefined): void {
    const was = this.#table.get(key);
    const ours = this.#unsure.delete(key);
    const differs = differenceOf(was, read);
    if (differs === 'nothing') return;
    if (read === undefined) this.#table.delete(key);
    else this.#table.set(key, read);
    if (differs === 'counters') return;
    const before = this.#differences.get(key);
    this.#differences.set(
      key,
      before === undefined ? { was, ours } : { ...before, ours: before.ours || ours },
    );
  }
}

const NONE: ReadonlySet<ServiceKey> = new Set();
const STEPS_AT_ONCE = 256;

/** The services of steps; consecutive steps of the same service share one object. */
function* servicesOf(steps: readonly Step[]): Generator<ServiceKey> {
  let last: ServiceAddress | undefined;
  for (const { service } of steps) {
    if (service === last) continue;
    last = service;
    yield serviceKey(service);
  }
}

/** Reuses the known object when it equals the one that was read, to save memory. */
function sameAs(known: ObservedService | undefined, read: ObservedService): ObservedService {
  return known !== undefined && differenceOf(known, read) === 'nothing' ? known : read;
}

/** In what a service differs from its known state; undefined is a service that does not exist. */
function differenceOf(
  known: ObservedService | undefined,
  read: ObservedService | undefined,
): 'nothing' | 'counters' | 'settings' {
  if (known === read) return 'nothing';
  if (known === undefined || read === undefined || known.backends.size !== read.backends.size)
    return 'settings';
  const inService = differenceOfFields(known, read);
  if (inService === 'settings') return 'settings';
  let found = inService;
  for (const [key, backend] of read.backends) {
    const before = known.backends.get(key);
    const inBackend = before === undefined ? 'settings' : differenceOfFields(before, backend);
    if (inBackend === 'settings') return 'settings';
    if (inBackend === 'counters') found = 'counters';
  }
  return found;
}

/** Compares all fields that are not objects. */
function differenceOfFields<T extends object>(known: T, read: T): 'nothing' | 'counters' | 'settings' {
  let found: 'nothing' | 'counters' = 'nothing';
  for (const field in read) {
    if (typeof read[field] === 'object' || known[field] === read[field]) continue;
    if (field !== 'activeConnections' && field !== 'inactiveConnections') return 'settings';
    found = 'counters';
  }
  return found;
}
