import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from '../errors.ts';
import { fileKind } from '../file-kind.ts';

/** A file that another user could have written; the message says what to do. */
export class UntrustedFile extends Error {}
/** What is at the path is no file that text can be kept in; the message says what it is, and what to do. */
export class IrregularFile extends Error {}

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Opens a file for reading that only we or root can have written; null when there is none.
 *
 * Rejects with an `UntrustedFile` where it is a symbolic link, where it or its folder belongs to someone else, or where
 * group or others may write one of them: what it says would then be another user's word. To root also the user counts to
 * whom root has given the folder, as systemd does for a service, so that `cleanup` finds what the service left. Rejects
 * with an `IrregularFile` where it is a pipe, a device or a directory, and with the system's error where it cannot be read.
 */
export async function openTrusted(path: string): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    // A pipe without a writer would be waited for until there is one.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    if (hasCode(error, 'ELOOP')) throw new UntrustedFile(`${path} is a symbolic link: remove it`);
    // A socket, or a device that nothing stands behind.
    if (hasCode(error, 'ENXIO')) throw irregular(path, 'a socket or a device');
    throw error;
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw irregular(path, fileKind(status));
    await check(path, status);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function check(path: string, file: Stats): Promise<void> {
  const folderPath = dirname(path);
  const folder = await stat(folderPath);
  const us = process.geteuid?.() ?? 0;
  const owners = new Set([0, us]);
  if (us === 0 && (await isGivenByRoot(folderPath))) owners.add(folder.uid);
  if (!owners.has(folder.uid)) throw untrusted(folderPath, `belongs to user ${folder.uid}`, `chown ${us}`);
  // In a sticky folder, as /tmp is, others cannot replace what is not theirs.
  if ((folder.mode & OTHERS_WRITE) !== 0 && (folder.mode & STICKY) === 0) {
    throw untrusted(folderPath, 'can be written by other users', 'chmod go-w');
  }
  if (!owners.has(file.uid)) throw untrusted(path, `belongs to user ${file.uid}`, `chown ${us}`);
  if ((file.mode & OTHERS_WRITE) !== 0) {
    throw untrusted(path, 'can be written by other users', 'chmod go-w');
  }
}

async function isGivenByRoot(folder: string): Promise<boolean> {
  const { uid, mode } = await stat(dirname(folder));
  return uid === 0 && (mode & OTHERS_WRITE) === 0;
}

function untrusted(path: string, why: string, fix: string): UntrustedFile {
  return new UntrustedFile(`${path} ${why}; if what it holds is right, \`${fix} ${path}\``);
}

function irregular(path: string, what: string): IrregularFile {
  return new IrregularFile(`${path} is ${what}, not a regular file: remove it`);
}
