import { access } from 'node:fs/promises';
import { systemReason } from '../errors.ts';
import type { Ledger } from '../ports.ts';
import { createLedger } from './ledger.ts';

/**
 * The ledger at a path that an operator named for a comparison. A missing file counts as empty, as it does for `run`; since a
 * missing file is probably a mistake here, `load` adds a warning. `givenBy`: the option that names it, such as `--ledger`.
 */
export function namedLedger(path: string, givenBy: string): Ledger {
  const ledger = createLedger(path);
  return {
    ...ledger,
    async load() {
      const state = await ledger.load();
      if (state.warning !== undefined) return state;
      const missing = await access(path).then(() => null, systemReason);
      const warning = `ledger ${path} (${givenBy}): ${missing}; no service counts as this controller's`;
      return missing === null ? state : { ...state, warning };
    },
  };
}
