/** Reads one file that names a network namespace, or is one. */

import { constants } from 'node:fs';
import { type FileHandle, open, stat, statfs } from 'node:fs/promises';
import { hasCode, systemReason } from '../errors.ts';
import { visible } from '../visible.ts';
import type { NamespaceFile } from './namespaces.ts';

/** Type of the file system that namespaces are files of (`include/uapi/linux/magic.h`). */
const NSFS_MAGIC = 0x6e736673;

/** The longest path that the system takes, and a line's end. */
const MOST_BYTES = 4_096;

/**
 * What a file says: it is a network namespace itself (as those of `ip netns` are), or has the path of one in it, as those of
 * the CNI plugin `l4lb` of DC/OS have. Never rejects: what the system refuses is `unusable`, with the reason.
 */
export async function readNamespaceFile(path: string): Promise<NamespaceFile> {
  try {
    const itself = await namespaceAt(path);
    if (itself !== null) return itself;
    const target = await pathIn(path);
    if (target === null) return unusable(`expected the path of a network namespace in it`);
    return await readTarget(target);
  } catch (error) {
    const kind = hasCode(error, 'ENOENT') ? 'gone' : 'unusable';
    return { kind, reason: systemReason(error) };
  }
}

async function readTarget(target: string): Promise<NamespaceFile> {
  try {
    return (await namespaceAt(target)) ?? unusable(`it names ${visible(target)}, which is no namespace`);
  } catch (error) {
    // A process that has ended takes its files below /proc along.
    const kind = hasCode(error, 'ENOENT') ? 'gone' : 'unusable';
    return { kind, reason: `it names ${visible(target)}: ${systemReason(error)}` };
  }
}

/** null: it is no namespace. */
async function namespaceAt(path: string): Promise<NamespaceFile | null> {
  if ((await statfs(path)).type !== NSFS_MAGIC) return null;
  const { ino } = await stat(path, { bigint: true });
  return { kind: 'namespace', path, inode: ino };
}

/** The absolute path that a file holds; null: none. */
async function pathIn(path: string): Promise<string | null> {
  // A pipe without a writer must not be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return null;
    const text = await beginningOf(file);
    const target = text.replace(/\n$/, '');
    return target.startsWith('/') && !hasControl(target) ? target : null;
  } finally {
    await file.close();
  }
}

async function beginningOf(file: FileHandle): Promise<string> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(MOST_BYTES + 1), 0, MOST_BYTES + 1, 0);
  return bytesRead > MOST_BYTES ? '' : buffer.toString('utf8', 0, bytesRead);
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}

function unusable(reason: string): NamespaceFile {
  return { kind: 'unusable', reason };
}
