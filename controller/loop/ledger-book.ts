import { ControllerError, messageOf } from '../errors.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Drains } from '../plan/drain.ts';
import type { Owned, Plan } from '../plan/plan.ts';
import type { Clock, Ledger, LedgerEntry, Log } from '../ports.ts';
import { createEpochOffset } from '../time.ts';

/**
 * The services that this controller owns, with the deadlines of their draining backends, in memory and in the ledger.
 *
 * When the ledger cannot be written, only services that are new to it are not added. Everything else goes on, removals and
 * drains included, and the first `record` or `forget` that succeeds brings the ledger up to date. A restart before that
 * finds entries of services that the kernel lacks, which it drops, and drains without a deadline, which then end at the
 * latest one drain time after the restart.
 */
export class LedgerBook {
  readonly #ledger: Ledger;
  readonly #log: Log;
  readonly #epochOffset: () => number;
  #entries: Map<ServiceKey, LedgerEntry> | null = null;
  #isLoaded = false;
  /** On the monotonic clock; the ledger has the same deadlines in milliseconds since the epoch. */
  #drains: Drains = NO_DRAINS;
  /** Services whose entry in the ledger may be out of date. */
  readonly #unsaved = new Set<ServiceKey>();
  #unrecorded: ReadonlySet<ServiceKey> = NONE;
  #failure: Error | null = null;

  constructor(ledger: Ledger, clock: Clock, log: Log) {
    this.#ledger = ledger;
    this.#epochOffset = createEpochOffset(clock);
    this.#log = log;
  }

  /** The entries of the ledger, read once. Rejects when it cannot be read: it is then unknown which services are owned. */
  async read(): Promise<ReadonlyMap<ServiceKey, Owned>> {
    return await this.#own();
  }

  /**
   * The same, without services that the kernel lacks at the start. The next `record` or `forget` removes them from the ledger,
   * since a service that another program adds in their place must not count as owned after a restart.
   */
  async load(observed: Table): Promise<ReadonlyMap<ServiceKey, Owned>> {
    const entries = await this.#own();
    if (this.#isLoaded) return entries;
    for (const key of entries.keys()) {
      if (observed.has(key)) continue;
      entries.delete(key);
      this.#unsaved.add(key);
    }
    this.#drains = drainsIn(entries, this.#epochOffset());
    this.#isLoaded = true;
    return entries;
  }

  /** The owned services; empty before `load`. */
  get owned(): ReadonlyMap<ServiceKey, Owned> {
    return this.#isLoaded ? (this.#entries ?? NO_ENTRIES) : NO_ENTRIES;
  }

  /** The deadlines as of the last `record`. */
  get drains(): Drains {
    return this.#drains;
  }

  /** Why the ledger is not up to date, for the operator; empty when it is. */
  get advice(): readonly string[] {
    return this.#failure === null ? [] : [messageOf(this.#failure)];
  }

  /** Why this service could not be recorded, so that it may not be written; null when it was. */
  unrecorded(key: ServiceKey): Error | null {
    return this.#unrecorded.has(key) ? this.#failure : null;
  }

  /**
   * Records a plan before it is applied, so that a crash leaves no owned service that the ledger lacks, and no drain
   * without its deadline. Never rejects: `unrecorded` returns what could not be recorded.
   */
  async record({ keys, owned }: Plan, drains: Drains): Promise<void> {
    const entries = await this.#own();
    // A step of the machine's clock changes the deadlines in the ledger, too.
    const offset = this.#epochOffset();
    const had = this.#drains;
    this.#drains = drains;
    this.#unrecorded = NONE;
    const added = new Set<ServiceKey>();
    const before = new Set(this.#unsaved);
    for (const key of new Set([...keys, ...had.keys(), ...drains.keys()])) {
      const entry = entries.get(key);
      const owner = owned.get(key) ?? entry;
      if (owner === undefined) continue;
      const isSame = entry?.fqdn === owner.fqdn && entry.near === owner.near;
      if (isSame && sameDeadlines(entry.drains, drains.get(key), offset)) continue;
      entries.set(key, entryOf(owner, drains.get(key), offset));
      this.#unsaved.add(key);
      if (entry === undefined) added.add(key);
    }
    if (this.#unsaved.size === 0 || (await this.#save(entries))) return;
    for (const key of added) {
      entries.delete(key);
      // The ledger may still have an entry of an earlier service at this address, which must be removed.
      if (!before.has(key)) this.#unsaved.delete(key);
    }
    this.#unrecorded = added;
  }

  /** Forgets services after a plan was applied: those that were removed, or could not be added. Never rejects. */
  async forget(left: Table, { keys, owned, services }: Plan): Promise<void> {
    const entries = await this.#own();
    const removed = new Set<ServiceKey>();
    for (const { op, key } of services) if (op === 'remove' && !left.has(key)) removed.add(key);
    const gone = new Set<ServiceKey>();
    for (const key of keys) {
      const isOurs = (left.has(key) || owned.has(key)) && !removed.has(key);
      if (!isOurs && entries.has(key)) gone.add(key);
    }
    if (this.#drains.size > 0) this.#forgetDrains(entries, left);
    if (gone.size > 0 || (this.#unsaved.size > 0 && this.#failure === null)) await this.forgetAll(gone);
  }

  /** Forgets services that were removed outside a pass, or that are another program's. Never rejects. */
  async forgetAll(keys: ReadonlySet<ServiceKey>): Promise<void> {
    const entries = await this.#own();
    for (const key of keys) if (entries.delete(key)) this.#unsaved.add(key);
    await this.#save(entries);
  }

  /** Forgets the deadlines of backends that are gone: a new one at the same endpoint gets a full drain. */
  #forgetDrains(entries: Map<ServiceKey, LedgerEntry>, left: Table): void {
    const drains = new Map(this.#drains);
    for (const [key, deadlines] of this.#drains) {
      const backends = left.get(key)?.backends;
      const still = new Map([...deadlines].filter(([endpoint]) => backends?.has(endpoint)));
      if (still.size === deadlines.size) continue;
      if (still.size === 0) drains.delete(key);
      else drains.set(key, still);
      const entry = entries.get(key);
      if (entry === undefined) continue;
      entries.set(key, entryOf(entry, drains.get(key), this.#epochOffset()));
      this.#unsaved.add(key);
    }
    this.#drains = drains;
  }

  async #own(): Promise<Map<ServiceKey, LedgerEntry>> {
    if (this.#entries !== null) return this.#entries;
    const { entries, warning } = await this.#ledger.load();
    if (warning !== undefined) this.#log.warn(warning);
    this.#entries = new Map(entries);
    return this.#entries;
  }

  async #save(entries: ReadonlyMap<ServiceKey, LedgerEntry>): Promise<boolean> {
    try {
      await this.#ledger.save(entries, this.#unsaved);
      this.#unsaved.clear();
      this.#failure = null;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new ControllerError('state', messageOf(error));
    }
    return this.#failure === null;
  }
}

const NONE: ReadonlySet<ServiceKey> = new Set();
const NO_ENTRIES: ReadonlyMap<ServiceKey, LedgerEntry> = new Map();
const NO_DRAINS: Drains = new Map();

function drainsIn(entries: ReadonlyMap<ServiceKey, LedgerEntry>, offset: number): Drains {
  const drains = new Map<ServiceKey, ReadonlyMap<BackendKey, number>>();
  entries.forEach(({ drains: deadlines = {} }, key) => {
    const all = Object.entries(deadlines);
    if (all.length > 0) drains.set(key, new Map(all.map(([backend, at]) => [backend, at - offset])));
  });
  return drains;
}

function entryOf(
  { name, framework, fqdn, near }: Owned,
  deadlines: ReadonlyMap<BackendKey, number> | undefined,
  offset: number,
): LedgerEntry {
  const owned = { name, framework, fqdn, ...(near !== undefined && { near }) };
  if (deadlines === undefined) return owned;
  return { ...owned, drains: Object.fromEntries([...deadlines].map(([key, at]) => [key, kept(at, offset)])) };
}

/** A deadline as the ledger has it. */
function kept(deadline: number, offset: number): number {
  return Math.round(deadline + offset);
}

function sameDeadlines(
  had: LedgerEntry['drains'],
  has: ReadonlyMap<BackendKey, number> | undefined,
  offset: number,
): boolean {
  if (had === undefined && has === undefined) return true;
  const keys = Object.keys(had ?? {});
  if (keys.length !== (has?.size ?? 0)) return false;
  return keys.every((key) => {
    const deadline = has?.get(key);
    return deadline !== undefined && kept(deadline, offset) === had?.[key];
  });
}
