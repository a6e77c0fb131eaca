import { existsSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { readNamespaces as readDirectory } from '../../netns/directory.ts';
import type { NamespacesFact } from '../facts.ts';

/** Reads the network namespaces in the directory of `--netns-dir` as `run` does. Never rejects. */
export async function readNamespaces(directory: string): Promise<NamespacesFact> {
  try {
    const { namespaces, refused } = await readDirectory(directory);
    return { directory, missing: false, failure: null, found: namespaces.size, refused };
  } catch (error) {
    return { directory, missing: !existsSync(directory), failure: messageOf(error), found: 0, refused: [] };
  }
}
