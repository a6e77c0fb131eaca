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
    (this.#entries ?? NOTHING).forEach(({ drains: deadlines }, key) => {
      if (deadlines !== undefined) drains.set(key, new Map(Object.entries(deadlines)));
    });
    return drains;
  }

  /**
   * Before the kernel is written: a crash in between must leave no service of which nobody knows that it is ours, and
   * a restart no drain without its deadline.
   */
  async claim(owned: ReadonlyMap<ServiceKey, Owned>, drains: Drains): Promise<void> {
    const before = this.#entries ?? NOTHING;
    const same = (key: ServiceKey, { fqdn }: Owned): boolean => {
      const had = before.get(key);
      return had !== undefined && had.fqdn === fqdn && sameDeadlines(had.drains, drains.get(key));
    };
    // Most passes claim nothing new: nothing is made then.
    if (!this.#stale && all(before, same) && (owned === before || all(owned, same))) return;

    const entries = new Map(before);
    for (const [key, owner] of [...before, ...owned]) {
      const { name, framework, fqdn } = owner;
      if (!same(key, owner)) entries.set(key, withDrains({ name, framework, fqdn }, drains.get(key)));
    }
    await this.#replace(entries);
  }

  /** After it: what has been removed, or could never be made, is no longer ours. */
  async release(left: Table, plan: Plan): Promise<void> {
    const before = this.#entries ?? NOTHING;
    const removed = new Set<ServiceKey>();
    for (const { op, key } of plan.services) if (op === 'remove' && !left.has(key)) removed.add(key);
    // Nobody came or went.
    if (!this.#stale && removed.size === 0 && plan.owned === before) return;
    const ours = (key: ServiceKey): boolean => (left.has(key) || plan.owned.has(key)) && !removed.has(key);
    if (!this.#stale && all(before, ours)) return;
    await this.#replace(new Map([...before].filter(([key]) => ours(key))));
  }

  async #replace(entries: ReadonlyMap<ServiceKey, LedgerEntry>): Promise<void> {
    await this.#ledger.save(entries);
    this.#entries = entries;
    this.#stale = false;
  }
}

const NOTHING: ReadonlyMap<ServiceKey, LedgerEntry> = new Map();

function all<K, V>(entries: ReadonlyMap<K, V>, holds: (key: K, value: V) => boolean): boolean {
  let fails = false;
  // Ten thousand entries in every pass: an iterator would make an array for each.
  entries.forEach((value, key) => {
    fails ||= !holds(key, value);
  });
  return !fails;
}

function withDrains(owned: Owned, deadlines: ReadonlyMap<BackendKey, number> | undefined): LedgerEntry {
  return deadlines === undefined ? owned : { ...owned, drains: Object.fromEntries(deadlines) };
}

function sameDeadlines(
  had: LedgerEntry['drains'],
  has: ReadonlyMap<BackendKey, number> | undefined,
): boolean {
  if (had === undefined && has === undefined) return true;
  const keys = Object.keys(had ?? {});
  return keys.length === (has?.size ?? 0) && keys.every((key) => has?.get(key) === had?.[key]);
}
