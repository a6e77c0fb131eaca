import type { LedgerEntry } from '../../../controller/ports.ts';
import { afterSave } from '../ledger-changes.ts';
import type { LedgerMaker } from './machine.ts';

/** A ledger that every controller of one host finds again. */
export function createLedgerInMemory(): LedgerMaker {
  let entries: ReadonlyMap<string, LedgerEntry> = new Map();
  return {
    open: () => ({
      load: async () => ({ entries }),
      save: async (now, changed) => {
        entries = afterSave(entries, now, changed);
      },
    }),
    empty: async () => {
      entries = new Map();
    },
  };
}
