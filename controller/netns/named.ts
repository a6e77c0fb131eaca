import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason } from '../errors.ts';
import { ownInode, readNamespaceFile } from './namespace-file.ts';
import type { Namespace } from './namespaces.ts';
import { othersMayWrite } from './trust.ts';

/**
 * Finds the network namespace of the file `id` in a directory. Rejects with an error whose message is for the operator if `run`
 * would not keep VIPs in it: others may write to the directory or the file, the namespace does not exist, or it is this
 * program's own.
 */
export async function namedNamespace(directory: string, id: string): Promise<Namespace> {
  const others = await stat(directory).then(
    (stats) => (stats.isDirectory() ? othersMayWrite(stats) : 'it is not a directory'),
    systemReason,
  );
  if (others !== null) throw new Error(`${directory}: ${others}`);
  const path = join(directory, id);
  const file = await readNamespaceFile(path);
  if (file.kind !== 'namespace') throw new Error(`${path}: ${file.reason}`);
  if (file.inode === (await ownInode()))
    throw new Error(`${path}: it is the network namespace of this program itself`);
  return { id, path: file.path, inode: file.inode };
}
