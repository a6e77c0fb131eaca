import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../errors.ts';
import type { NamespaceLedgers } from './departures.ts';

/** Returns the path of a namespace's ledger in the directory of all ledgers. */
export function ledgerPath(directory: string, inode: bigint): string {
  return join(directory, `${inode}.json`);
}

/** Creates access to the ledgers of all namespaces in a directory. */
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

/** The namespace of a ledger file, or of one that was set aside under a longer name; null for other files. */
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
