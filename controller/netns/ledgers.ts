import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../errors.ts';
import type { NamespaceLedgers } from './departures.ts';

const SUFFIX = '.json';

/** Where the ledger of a namespace lies, in a directory of such ledgers. */
export function ledgerPath(directory: string, id: string): string {
  return join(directory, `${id}${SUFFIX}`);
}

/** The ledgers of all namespaces, in one directory that has nothing else in it. */
export function namespaceLedgers(directory: string): NamespaceLedgers {
  return {
    async ids() {
      return [...new Set((await namesIn(directory)).flatMap((name) => idOf(name) ?? []))];
    },
    async forget(id) {
      for (const name of await namesIn(directory))
        if (idOf(name) === id) await rm(join(directory, name), { force: true });
    },
  };
}

/** Of which namespace a file is; what was set aside has an ending more. The id may have any character but a slash. */
function idOf(name: string): string | null {
  const end = name.lastIndexOf(SUFFIX);
  return end === -1 ? null : name.slice(0, end);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
