/** Reads a file that is a network namespace, or contains the path of one. */

import { constants } from 'node:fs';
import { type FileHandle, open, readFile, readlink, stat, statfs } from 'node:fs/promises';
import { hasCode, systemReason } from '../errors.ts';
import { visible } from '../text/visible.ts';
import type { NamespaceFile } from './namespaces.ts';
import { othersMayWrite } from './trust.ts';

/** Type of the file system of namespace files (`include/uapi/linux/magic.h`). */
const NSFS_MAGIC = 0x6e736673;

/** The longest path that Linux allows (PATH_MAX), and a newline. */
const MAX_BYTES = 4_096;

/** Returns the roots of the mounts that this process sees, by mount id. */
export type MountRoots = () => Promise<ReadonlyMap<string, string>>;

/** Creates a function that reads the mount roots once, on the first call. Use it for one pass over the files only. */
export function mountRoots(): MountRoots {
  let read: Promise<ReadonlyMap<string, string>> | null = null;
  return () => {
    read ??= readFile('/proc/self/mountinfo', 'utf8').then(rootsIn);
    return read;
  };
}

/** The id is the first column of a line, the root the fourth. */
function rootsIn(mountinfo: string): ReadonlyMap<string, string> {
  return new Map(
    mountinfo.split('\n').map((line) => {
      const [id = '', , , root = ''] = line.split(' ', 4);
      return [id, root];
    }),
  );
}

/**
 * Reads a file that is a network namespace itself, as those of `ip netns` are, or that contains the path of one, as those of
 * DC/OS's CNI plugin `l4lb` do. Never rejects: a file that cannot be read is `unusable`, with the reason.
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

/**
 * Returns why the path is certainly no namespace, or null. A path that this user may not look at counts as one: only entering
 * it tells.
 */
export async function whyNoNamespace(path: string): Promise<string | null> {
  try {
    return (await statfs(path)).type === NSFS_MAGIC ? null : 'it is not a network namespace';
  } catch (error) {
    return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') ? systemReason(error) : null;
  }
}

/** Inode of this program's own network namespace. */
export async function ownInode(): Promise<bigint> {
  return (await stat('/proc/self/ns/net', { bigint: true })).ino;
}

async function readTarget(target: string, mounts: MountRoots): Promise<NamespaceFile> {
  try {
    const names = `it names ${visible(target)}, which is`;
    return (await namespaceAt(target, names, mounts)) ?? unusable(`${names} not a namespace`);
  } catch (error) {
    // Files below /proc disappear with their process.
    const kind = hasCode(error, 'ENOENT') ? 'gone' : 'unusable';
    return { kind, reason: `it names ${visible(target)}: ${systemReason(error)}` };
  }
}

/** Returns null if the file is not a namespace. `what` is the start of the reason if it cannot be used. */
async function namespaceAt(path: string, what: string, mounts: MountRoots): Promise<NamespaceFile | null> {
  // Before opening it, since opening a device may have side effects.
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
 * Returns the kernel's name of an open namespace, which shows its kind: `net:[4026531840]`, `mnt:[4026531841]`. For a mounted one,
 * as those of `ip netns` are, /proc shows the mount point instead, and the name is the root of that mount.
 */
async function kernelName({ fd }: FileHandle, mounts: MountRoots): Promise<string> {
  const name = await readlink(`/proc/self/fd/${fd}`);
  if (!name.startsWith('/')) return name;
  const [, id = ''] = /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  // Read again if it was mounted since.
  return (await mounts()).get(id) ?? (await mountRoots()()).get(id) ?? name;
}

/** Returns the absolute path in a file, or why it is not used; null if there is none. */
async function pathIn(path: string): Promise<string | NamespaceFile | null> {
  // Must not block on a pipe without a writer.
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
  const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
  return bytesRead > MAX_BYTES ? '' : buffer.toString('utf8', 0, bytesRead);
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}

function unusable(reason: string): NamespaceFile {
  return { kind: 'unusable', reason };
}
