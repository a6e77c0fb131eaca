import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../errors.ts';
import type { NamespaceLedgers } from './departures.ts';

/** Where the ledger of a namespace lies, in a directory of such ledgers. */
export function ledgerPath(directory: string, inode: bigint): string {
  return join(directory, `${inode}.json`);
}

/** The ledgers of all namespaces, in one directory of their own. */
export function namespaceLedgers(directory: string): NamespaceLedgers {
  return {
    async inodes() {
      return [...new Set((await namesIn(directory)).flatMap((name) => inodeOf(name) ?? []))];
    },
    async forget(inode) {
      for (const name of await namesIn(directory))
        if (inodeOf(name) === inode) await rm(join(directory, name), { force: true });
    },
  };
}

/** Of which namespace a file is; what was set aside has an ending more. null: it is no ledger. */
function inodeOf(name: string): bigint | null {
  const inode = /^(\d+)\.json/.exec(name)?.[1];
  return inode === undefined ? null : BigInt(inode);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
