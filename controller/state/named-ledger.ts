import { access } from 'node:fs/promises';
import { systemReason } from '../errors.ts';
import type { Ledger } from '../ports.ts';
import { createLedger } from './ledger.ts';

/**
 * The ledger at a path that an operator named to compare with. One that is not there counts as empty, as it does for `run`;
 * since here that is rather a mistake, `load` gives a warning. `givenBy`: what named it, `--ledger`.
 */
export function namedLedger(path: string, givenBy: string): Ledger {
  const ledger = createLedger(path);
  return {
    ...ledger,
    async load() {
      const state = await ledger.load();
      if (state.warning !== undefined) return state;
      const missing = await access(path).then(() => null, systemReason);
      const warning = `ledger ${path} (${givenBy}): ${missing}; no service counts as ours`;
      return missing === null ? state : { ...state, warning };
    },
  };
}
