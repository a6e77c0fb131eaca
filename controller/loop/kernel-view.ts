import {
  type BackendKey,
  type ObservedBackend,
  type ObservedService,
  type ServiceAddress,
  type ServiceKey,
  type Step,
  serviceKey,
  type Table,
} from '../model.ts';
import { eachInSlices, inSlices, Pace } from '../pace.ts';
import { applySteps } from '../plan/after-steps.ts';
import type { IpvsTable } from '../ports.ts';

/** A service that was found otherwise than it was known. */
export interface Difference {
  /** What was known; undefined: nothing. */
  readonly was: ObservedService | undefined;
  /** A write of ours may have done it, whose result was not known. */
  readonly ours: boolean;
}

/** A read of the whole table in the background. */
interface Reading {
  /** What passes wrote since it began: of these it may tell what was before. */
  readonly written: Set<ServiceKey>;
  /** What it found; null as long as it goes on, and when it failed. */
  table: Table | null;
}

/** Of a table with so many services for each one that is to be read, those alone are read; else all of it. */
const SERVICES_PER_READ = 4;

/**
 * What is known of the kernel's table, and what of it has to be read again before it counts.
 *
 * The whole table can be read in the background, which takes long where it is large: what passes write meanwhile is known
 * better than it was read.
 */
export class KernelView {
  readonly #kernel: IpvsTable;
  readonly #table = new Map<ServiceKey, ObservedService>();
  #isKnown = false;
  /** Services to be read again: a step failed there, or their connections count. */
  readonly #stale = new Map<ServiceKey, ServiceAddress>();
  /** Services that were written to, with a result that is not known. */
  readonly #unsure = new Set<ServiceKey>();
  #reading: Reading | null = null;
  #differences = new Map<ServiceKey, Difference>();

  constructor(kernel: IpvsTable) {
    this.#kernel = kernel;
  }

  /** Whether the table is known: otherwise all of it must be read. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The table as far as it is known. It changes with the view. */
  get table(): Table {
    return this.#table;
  }

  /**
   * Reads the whole table, for the next `readAll()`, while others go on. To be called between passes. Never rejects: what
   * went wrong is met again, and told, by `readAll()`.
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
   * Brings the whole view up to date: with what was read in the background, but for what passes wrote meanwhile; or, where
   * nothing was, with what the kernel has now. Resolves with whether it is what the kernel has now.
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

  /** Reads these services, and those that are stale. */
  async reread(services: Iterable<ServiceAddress>): Promise<void> {
    const wanted = new Map(this.#stale);
    for (const service of services) wanted.set(serviceKey(service), service);
    if (wanted.size === 0) return;
    if (wanted.size * SERVICES_PER_READ > this.#table.size) return await this.#readNow();
    const found = await this.#kernel.observe([...wanted.values()]);
    for (const key of wanted.keys()) {
      this.#stale.delete(key);
      // Newer than what was read of it in the background.
      this.#reading?.written.add(key);
      this.#take(key, found.get(key));
    }
  }

  /** These are to be read before the next pass. */
  markStale(services: Iterable<ServiceAddress>): void {
    for (const service of services) this.#stale.set(serviceKey(service), service);
  }

  /** To be called before these steps are made. */
  markWritten(steps: readonly Step[]): void {
    for (const key of servicesOf(steps)) {
      this.#unsure.add(key);
      this.#reading?.written.add(key);
    }
  }

  /** These steps were made, and no other of those that were marked: what is left of them failed. */
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

  /** Nothing is known any more. */
  forget(): void {
    this.#isKnown = false;
    this.#reading = null;
  }

  /** The services that reads found otherwise than they were known since this was last asked. Counters do not count. */
  takeDifferences(): ReadonlyMap<ServiceKey, Difference> {
    const differences = this.#differences;
    this.#differences = new Map();
    return differences;
  }

  async #readNow(): Promise<void> {
    const table = await this.#kernel.observe();
    // What was read in the background before is older than this.
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
    if (was === read || (was !== undefined && read !== undefined && isSame(was, read, () => false))) return;
    if (read === undefined) this.#table.delete(key);
    else this.#table.set(key, read);
    if (was !== undefined && read !== undefined && isSame(was, read, isCounter)) return;
    const before = this.#differences.get(key);
    this.#differences.set(
      key,
      before === undefined ? { was, ours } : { ...before, ours: before.ours || ours },
    );
  }
}

const NONE: ReadonlySet<ServiceKey> = new Set();
const STEPS_AT_ONCE = 256;

/** The services of steps; those of one service follow each other and share what names it. */
function* servicesOf(steps: readonly Step[]): Generator<ServiceKey> {
  let last: ServiceAddress | undefined;
  for (const { service } of steps) {
    if (service === last) continue;
    last = service;
    yield serviceKey(service);
  }
}

/** What says the same stays the same object: what was read is not kept twice. */
function sameAs(known: ObservedService | undefined, read: ObservedService): ObservedService {
  return known !== undefined && isSame(known, read, () => false) ? known : read;
}

function isCounter(field: string): boolean {
  return field === 'activeConnections' || field === 'inactiveConnections';
}

function isSame(
  known: ObservedService,
  read: ObservedService,
  isIgnored: (field: string) => boolean,
): boolean {
  return sameFields(known, read, isIgnored) && sameBackends(known.backends, read.backends, isIgnored);
}

function sameBackends(
  known: ReadonlyMap<BackendKey, ObservedBackend>,
  read: ReadonlyMap<BackendKey, ObservedBackend>,
  isIgnored: (field: string) => boolean,
): boolean {
  if (known.size !== read.size) return false;
  for (const [key, backend] of read) {
    const before = known.get(key);
    if (before === undefined || !sameFields(before, backend, isIgnored)) return false;
  }
  return true;
}

/** Whether all that is no object is the same. */
function sameFields<T extends object>(known: T, read: T, isIgnored: (field: string) => boolean): boolean {
  for (const field in read) {
    if (typeof read[field] !== 'object' && known[field] !== read[field] && !isIgnored(field)) return false;
  }
  return true;
}
