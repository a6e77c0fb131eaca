import { copyOf } from '../map-copy.ts';
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
import type { IpvsTable } from '../ports.ts';

/** A read of the whole table beside which passes go on. */
interface Reading {
  /** What passes wrote since it began: of these it may tell what was before. */
  readonly touched: Set<ServiceKey>;
  /** What it found; null as long as it goes on, and when it failed. */
  table: Table | null;
}

/** Of a table with so many services for each one that is to be read, those alone are read; else all of it. */
const FEW = 4;

/**
 * What is known of the kernel's table, and what of it has to be read before it is believed again.
 *
 * The whole table can be read beside passes, which takes long where it is large: what they write meanwhile is known
 * better than it was read.
 */
export class Knowledge {
  readonly #table: IpvsTable;
  #believed: Table | null = null;
  /** Services of which it is not known how they are: a step failed there, or their connections count. */
  readonly #doubtful = new Map<ServiceKey, ServiceAddress>();
  #reading: Reading | null = null;

  constructor(table: IpvsTable) {
    this.#table = table;
  }

  /** The table as far as known; null when nothing is, so that the whole must be read. */
  get believed(): Table | null {
    return this.#believed;
  }

  /**
   * Reads the whole table, for the next `whole()`, while others go on. To be called between passes. Never rejects: what
   * went wrong is met again, and told, by `whole()`.
   */
  async readBeside(): Promise<void> {
    const reading: Reading = { touched: new Set(), table: null };
    this.#reading = reading;
    try {
      reading.table = await this.#table.observeBeside((read) =>
        sameAs(this.#believed?.get(serviceKey(read)), read),
      );
    } catch {
      if (this.#reading === reading) this.#reading = null;
    }
  }

  /**
   * The whole table: as it was read beside passes, with what they wrote meanwhile; or, where it was not, `fresh`, as it is
   * now.
   */
  async whole(): Promise<{ readonly table: Table; readonly fresh: boolean }> {
    const reading = this.#reading;
    const believed = this.#believed;
    this.#reading = null;
    if (believed === null || reading === null || reading.table === null)
      return { table: await this.#readAll(), fresh: true };
    const table = combine(believed, reading.table, reading.touched);
    return { table: await this.again(table, this.#doubtful.values()), fresh: false };
  }

  /** What is believed, after what is doubtful has been read. */
  async recent(): Promise<{ readonly table: Table; readonly fresh: boolean }> {
    return { table: await this.again(this.#believed ?? NOTHING, this.#doubtful.values()), fresh: false };
  }

  /** The table with these services as they are now. */
  async again(table: Table, services: Iterable<ServiceAddress>): Promise<Table> {
    const wanted = new Map([...services].map((service) => [serviceKey(service), service]));
    if (wanted.size === 0) return table;
    if (wanted.size * FEW > table.size) return await this.#readAll();
    const found = await this.#table.observe([...wanted.values()]);
    for (const key of wanted.keys()) {
      this.#doubtful.delete(key);
      // Newer than what was read of it beside passes.
      this.#reading?.touched.add(key);
    }
    const result = copyOf(table);
    for (const key of wanted.keys()) {
      const service = found.get(key);
      if (service === undefined) result.delete(key);
      else result.set(key, sameAs(result.get(key), service));
    }
    return result;
  }

  /** These are to be read before the next pass. */
  doubt(services: Iterable<ServiceAddress>): void {
    for (const service of services) this.#doubtful.set(serviceKey(service), service);
  }

  /** To be called before these steps are made. */
  touch(steps: readonly Step[]): void {
    for (const { service } of steps) this.#reading?.touched.add(serviceKey(service));
  }

  /** A pass left the table like this. */
  believe(table: Table): void {
    this.#believed = table;
  }

  /** Nothing is known any more. */
  forget(): void {
    this.#believed = null;
    this.#reading = null;
  }

  async #readAll(): Promise<Table> {
    const table = await this.#table.observe();
    // What was read beside passes before is older than this.
    this.#reading = null;
    this.#doubtful.clear();
    return this.#believed === null ? table : combine(this.#believed, table, new Set());
  }
}

/** What was read, but where passes wrote meanwhile, what is believed. */
function combine(believed: Table, read: Table, touched: ReadonlySet<ServiceKey>): Table {
  const combined = new Map<ServiceKey, ObservedService>();
  for (const [key, service] of read)
    if (!touched.has(key)) combined.set(key, sameAs(believed.get(key), service));
  for (const key of touched) {
    const service = believed.get(key);
    if (service !== undefined) combined.set(key, service);
  }
  return combined;
}

/** What says the same stays the same object, and is not compared with anything again. */
function sameAs(known: ObservedService | undefined, read: ObservedService): ObservedService {
  return known !== undefined && sameFields(known, read) && sameBackends(known.backends, read.backends)
    ? known
    : read;
}

function sameBackends(
  known: ReadonlyMap<BackendKey, ObservedBackend>,
  read: ReadonlyMap<BackendKey, ObservedBackend>,
): boolean {
  if (known.size !== read.size) return false;
  for (const [key, backend] of read) {
    const before = known.get(key);
    if (before === undefined || !sameFields(before, backend)) return false;
  }
  return true;
}

/** Whether all that is no object is the same. */
function sameFields<T extends object>(known: T, read: T): boolean {
  for (const field in read) {
    if (typeof read[field] !== 'object' && known[field] !== read[field]) return false;
  }
  return true;
}

const NOTHING: Table = new Map();
