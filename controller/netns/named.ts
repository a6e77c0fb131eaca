import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason } from '../errors.ts';
import { ownInode, readNamespaceFile } from './namespace-file.ts';
import type { Namespace } from './namespaces.ts';
import { othersMayWrite } from './trust.ts';

/**
 * The network namespace that the file of this name in a directory gives. Rejects with an error whose message is for the operator
 * where `run` would keep no VIPs in it: where others may write in the directory or the file, where there is no such
 * namespace, and where it is this program's own.
 */
export async function namedNamespace(directory: string, id: string): Promise<Namespace> {
  const others = await stat(directory).then(
    (stats) => (stats.isDirectory() ? othersMayWrite(stats) : 'it is no directory'),
    systemReason,
  );
  if (others !== null) throw new Error(`${directory}: ${others}`);
  const path = join(directory, id);
  const file = await readNamespaceFile(path);
  if (file.kind !== 'namespace') throw new Error(`${path}: ${file.reason}`);
  if (file.inode === (await ownInode()))
    throw new Error(`${path}: it leads to the network namespace of this program itself`);
  return { id, path: file.path, inode: file.inode };
}
