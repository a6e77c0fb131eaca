import type { BackendKey, ServiceKey, Table } from '../model.ts';
import type { Drains } from '../plan/drain.ts';
import type { Owned, Plan } from '../plan/plan.ts';
import type { Clock, Ledger, LedgerEntry, Log } from '../ports.ts';
import { createEpochOffset } from '../time.ts';

/** What is ours in the kernel, and until when its leaving backends may drain: in memory, and first in the ledger. */
export class Holdings {
  readonly #ledger: Ledger;
  readonly #log: Log;
  readonly #epochOffset: () => number;
  #entries: ReadonlyMap<ServiceKey, LedgerEntry> | null = null;
  /** As passes know them: the ledger has the same ones in milliseconds since the epoch. */
  #drains: Drains = NO_DRAINS;
  /** Whether the ledger still holds entries that have been dropped. */
  #stale = false;

  constructor(ledger: Ledger, clock: Clock, log: Log) {
    this.#ledger = ledger;
    this.#epochOffset = createEpochOffset(clock);
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
    this.#drains = drainsIn(this.#entries, this.#epochOffset());
    return this.#entries;
  }

  /** What is ours as far as known; empty before `load`. */
  get owned(): ReadonlyMap<ServiceKey, Owned> {
    return this.#entries ?? NOTHING;
  }

  /** The deadlines as of the last `claim`. */
  get drains(): Drains {
    return this.#drains;
  }

  /**
   * Before the kernel is written: a crash in between must leave no service of which nobody knows that it is ours, and
   * a restart no drain without its deadline.
   */
  async claim({ keys, owned }: Plan, drains: Drains): Promise<void> {
    const before = this.#entries ?? NOTHING;
    // They change as well when the machine's clock is set: a restart must find them where they are.
    const offset = this.#epochOffset();
    const had = this.#drains;
    this.#drains = drains;
    const changed = new Map<ServiceKey, LedgerEntry>();
    for (const key of new Set([...keys, ...had.keys(), ...drains.keys()])) {
      const entry = before.get(key);
      const owner = owned.get(key) ?? entry;
      if (owner === undefined) continue;
      if (entry?.fqdn === owner.fqdn && sameDeadlines(entry.drains, drains.get(key), offset)) continue;
      const { name, framework, fqdn } = owner;
      changed.set(key, withDrains({ name, framework, fqdn }, drains.get(key), offset));
    }
    if (this.#stale || changed.size > 0) await this.#replace(new Map([...before, ...changed]));
  }

  /** After it: what has been removed, or could never be made, is no longer ours. */
  async release(left: Table, { keys, owned, services }: Plan): Promise<void> {
    const before = this.#entries ?? NOTHING;
    const removed = new Set<ServiceKey>();
    for (const { op, key } of services) if (op === 'remove' && !left.has(key)) removed.add(key);
    const gone = new Set<ServiceKey>();
    for (const key of keys) {
      const isOurs = (left.has(key) || owned.has(key)) && !removed.has(key);
      if (!isOurs && before.has(key)) gone.add(key);
    }
    if (this.#stale || gone.size > 0) await this.drop(gone);
  }

  /** These were removed otherwise than by a pass. */
  async drop(keys: ReadonlySet<ServiceKey>): Promise<void> {
    await this.#replace(new Map([...(this.#entries ?? NOTHING)].filter(([key]) => !keys.has(key))));
  }

  async #replace(entries: ReadonlyMap<ServiceKey, LedgerEntry>): Promise<void> {
    await this.#ledger.save(entries);
    this.#entries = entries;
    this.#stale = false;
  }
}

const NOTHING: ReadonlyMap<ServiceKey, LedgerEntry> = new Map();
const NO_DRAINS: Drains = new Map();

function drainsIn(entries: ReadonlyMap<ServiceKey, LedgerEntry>, offset: number): Drains {
  const drains = new Map<ServiceKey, ReadonlyMap<BackendKey, number>>();
  entries.forEach(({ drains: deadlines = {} }, key) => {
    const all = Object.entries(deadlines);
    if (all.length > 0) drains.set(key, new Map(all.map(([backend, at]) => [backend, at - offset])));
  });
  return drains;
}

function withDrains(
  owned: Owned,
  deadlines: ReadonlyMap<BackendKey, number> | undefined,
  offset: number,
): LedgerEntry {
  if (deadlines === undefined) return owned;
  return { ...owned, drains: Object.fromEntries([...deadlines].map(([key, at]) => [key, kept(at, offset)])) };
}

/** A deadline as the ledger keeps it. */
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
