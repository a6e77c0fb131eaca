import type { BackendKey, ServiceKey, Table } from '../model.ts';
import type { Drains } from '../plan/drain.ts';
import type { Owned, Plan } from '../plan/plan.ts';
import type { Ledger, LedgerEntry, Log } from '../ports.ts';

/** What is ours in the kernel, and until when its leaving backends may drain: in memory, and first in the ledger. */
export class Holdings {
  readonly #ledger: Ledger;
  readonly #log: Log;
  #entries: ReadonlyMap<ServiceKey, LedgerEntry> | null = null;
  /** Whether the ledger still holds entries that have been dropped. */
  #stale = false;

  constructor(ledger: Ledger, log: Log) {
    this.#ledger = ledger;
    this.#log = log;
  }

  /**
   * Reads the ledger, once. Entries that the kernel lacks are dropped, by the next `claim` or `release` from the ledger
   * too: what they spoke of is gone, and what another program makes in its place must not be ours after a restart.
   */
  async load(observed: Table): Promise<ReadonlyMap<ServiceKey, Owned>> {
    if (this.#entries !== null) return this.#entries;
    const { entries, warning } = await this.#ledger.load();
    if (warning !== undefined) this.#log.warn(warning);
    this.#entries = new Map([...entries].filter(([key]) => observed.has(key)));
    this.#stale = this.#entries.size !== entries.size;
    return this.#entries;
  }

  /** What is ours as far as known; empty before `load`. */
  get owned(): ReadonlyMap<ServiceKey, Owned> {
    return this.#entries ?? NOTHING;
  }

  get drains(): Drains {
    const drains = new Map<ServiceKey, ReadonlyMap<BackendKey, number>>();
    for (const [key, { drains: deadlines }] of this.owned as ReadonlyMap<ServiceKey, LedgerEntry>) {
      if (deadlines !== undefined) drains.set(key, new Map(Object.entries(deadlines)));
    }
    return drains;
  }

  /**
   * Before the kernel is written: a crash in between must leave no service of which nobody knows that it is ours, and
   * a restart no drain without its deadline.
   */
  async claim(owned: ReadonlyMap<ServiceKey, Owned>, drains: Drains): Promise<void> {
    const before = this.#entries ?? NOTHING;
    const entries = new Map<ServiceKey, LedgerEntry>();
    let changed = this.#stale;
    for (const [key, { name, framework, fqdn }] of [...before, ...owned]) {
      const had = before.get(key);
      const deadlines = drains.get(key);
      const same = had !== undefined && had.fqdn === fqdn && sameDeadlines(had.drains, deadlines);
      entries.set(key, same ? had : withDrains({ name, framework, fqdn }, deadlines));
      changed ||= !same;
    }
    if (changed) await this.#replace(entries);
  }

  /** After it: what has been removed, or could never be made, is no longer ours. */
  async release(left: Table, plan: Plan): Promise<void> {
    const before = this.#entries ?? NOTHING;
    const entries = new Map([...before].filter(([key]) => left.has(key) || plan.owned.has(key)));
    for (const { op, key } of plan.services) if (op === 'remove' && !left.has(key)) entries.delete(key);
    if (this.#stale || entries.size !== before.size) await this.#replace(entries);
  }

  async #replace(entries: ReadonlyMap<ServiceKey, LedgerEntry>): Promise<void> {
    await this.#ledger.save(entries);
    this.#entries = entries;
    this.#stale = false;
  }
}

const NOTHING: ReadonlyMap<ServiceKey, LedgerEntry> = new Map();

function withDrains(owned: Owned, deadlines: ReadonlyMap<BackendKey, number> | undefined): LedgerEntry {
  return deadlines === undefined ? owned : { ...owned, drains: Object.fromEntries(deadlines) };
}

function sameDeadlines(
  had: LedgerEntry['drains'],
  has: ReadonlyMap<BackendKey, number> | undefined,
): boolean {
  const keys = Object.keys(had ?? {});
  return keys.length === (has?.size ?? 0) && keys.every((key) => has?.get(key) === had?.[key]);
}
