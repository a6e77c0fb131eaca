import type { ServiceKey } from '../../controller/model/service.ts';
import type { LedgerEntry } from '../../controller/ports.ts';

type Entries = ReadonlyMap<ServiceKey, LedgerEntry>;

/** What a ledger has after a save: of what it is not told to have changed, what it had. */
export function afterSave(had: Entries, entries: Entries, changed: Iterable<ServiceKey> | null): Entries {
  if (changed === null) return new Map(entries);
  const has = new Map(had);
  for (const key of changed) {
    const entry = entries.get(key);
    if (entry === undefined) has.delete(key);
    else has.set(key, entry);
  }
  return has;
}
