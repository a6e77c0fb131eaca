/** Reads one file that names a network namespace, or is one. */

import { constants } from 'node:fs';
import { type FileHandle, open, readFile, readlink, stat, statfs } from 'node:fs/promises';
import { hasCode, systemReason } from '../errors.ts';
import { visible } from '../visible.ts';
import type { NamespaceFile } from './namespaces.ts';
import { othersMayWrite } from './trust.ts';

/** Type of the file system that namespaces are files of (`include/uapi/linux/magic.h`). */
const NSFS_MAGIC = 0x6e736673;

/** The longest path that the system takes, and a line's end. */
const MOST_BYTES = 4_096;

/** Roots of the mounts that this process sees, by their id; read when it is first asked for. */
export type MountRoots = () => Promise<ReadonlyMap<string, string>>;

/** Those of now: for one look, since mounts come and go. */
export function mountRoots(): MountRoots {
  let read: Promise<ReadonlyMap<string, string>> | null = null;
  return () => {
    read ??= readFile('/proc/self/mountinfo', 'utf8').then(rootsIn);
    return read;
  };
}

/** Of each line the id is the first column, and the root the fourth. */
function rootsIn(mountinfo: string): ReadonlyMap<string, string> {
  return new Map(
    mountinfo.split('\n').map((line) => {
      const [id = '', , , root = ''] = line.split(' ', 4);
      return [id, root];
    }),
  );
}

/**
 * What a file says: it is a network namespace itself (as those of `ip netns` are), or has the path of one in it, as those of
 * the CNI plugin `l4lb` of DC/OS have. Never rejects: what the system refuses is `unusable`, with the reason.
 */
export async function readNamespaceFile(path: string, mounts = mountRoots()): Promise<NamespaceFile> {
  try {
    const itself = await namespaceAt(path, 'it is', mounts);
    if (itself !== null) return itself;
    const target = await pathIn(path);
    if (target === null) return unusable('expected the path of a network namespace in it');
    return typeof target === 'string' ? await readTarget(target, mounts) : target;
  } catch (error) {
    const kind = hasCode(error, 'ENOENT') ? 'gone' : 'unusable';
    return { kind, reason: systemReason(error) };
  }
}

/** Number of the network namespace of this program itself. */
export async function ownInode(): Promise<bigint> {
  return (await stat('/proc/self/ns/net', { bigint: true })).ino;
}

async function readTarget(target: string, mounts: MountRoots): Promise<NamespaceFile> {
  try {
    const names = `it names ${visible(target)}, which is`;
    return (await namespaceAt(target, names, mounts)) ?? unusable(`${names} no namespace`);
  } catch (error) {
    // A process that has ended takes its files below /proc along.
    const kind = hasCode(error, 'ENOENT') ? 'gone' : 'unusable';
    return { kind, reason: `it names ${visible(target)}: ${systemReason(error)}` };
  }
}

/** null: it is no namespace. `what` begins the reason why one is not used. */
async function namespaceAt(path: string, what: string, mounts: MountRoots): Promise<NamespaceFile | null> {
  // Before it is opened: to open a device may do something.
  if ((await statfs(path)).type !== NSFS_MAGIC) return null;
  const file = await open(path);
  try {
    const name = await kernelName(file, mounts);
    if (!name.startsWith('net:')) return unusable(`${what} a namespace of another kind: ${name}`);
    return { kind: 'namespace', path, inode: (await file.stat({ bigint: true })).ino };
  } finally {
    await file.close();
  }
}

/**
 * What the kernel calls an open namespace, which tells its kind: `net:[4026531840]`, `mnt:[4026531841]`. One that is mounted, as
 * those of `ip netns` are, is called by where it is mounted; its name is then the root of that mount.
 */
async function kernelName({ fd }: FileHandle, mounts: MountRoots): Promise<string> {
  const name = await readlink(`/proc/self/fd/${fd}`);
  if (!name.startsWith('/')) return name;
  const [, id = ''] = /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  // It may have been mounted since.
  return (await mounts()).get(id) ?? (await mountRoots()()).get(id) ?? name;
}

/** The absolute path that a file holds, or why it is not used; null: none. */
async function pathIn(path: string): Promise<string | NamespaceFile | null> {
  // A pipe without a writer must not be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return null;
    const others = othersMayWrite(stats);
    if (others !== null) return unusable(others);
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
