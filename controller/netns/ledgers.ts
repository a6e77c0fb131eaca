import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../errors.ts';
import type { NamespaceLedgers } from './fleet.ts';

/** Where the ledger of a namespace lies, in a directory of such ledgers. */
export function ledgerPath(directory: string, id: string): string {
  return join(directory, `${id}.json`);
}

/** The ledgers of all namespaces, in one directory that has nothing else in it. */
export function namespaceLedgers(directory: string): NamespaceLedgers {
  return {
    async forget(id) {
      const path = ledgerPath(directory, id);
      await Promise.all([path, `${path}.damaged`].map((file) => rm(file, { force: true })));
    },
    async forgetOthers(ids) {
      for (const name of await namesIn(directory)) {
        // The id may have any character but a slash; what follows it begins with the last `.json`.
        const id = name.slice(0, Math.max(0, name.lastIndexOf('.json')));
        if (!ids.has(id)) await rm(join(directory, name), { force: true });
      }
    },
  };
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
