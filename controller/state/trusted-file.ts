import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from '../errors.ts';
import { fileKind } from '../input/file-kind.ts';

/** Another user could have written the file. The message says what to do. */
export class UntrustedFile extends Error {}
/** The path leads to something else than a regular file. The message says what it is, and what to do. */
export class IrregularFile extends Error {}

/** S_IWGRP | S_IWOTH */
const OTHERS_WRITE = 0o022;
/** S_ISVTX */
const STICKY = 0o1000;

/**
 * Opens a file for reading that only this user or root can have written. Resolves with null if it does not exist.
 *
 * Rejects with an `UntrustedFile` if it is a symbolic link, if it or its directory belongs to another user, or if group or
 * others may write to one of them. For root, the user to whom root has given the directory is trusted too, as systemd does
 * for a service, so that `cleanup` finds what the service left. Rejects with an `IrregularFile` if it is a pipe, a device or
 * a directory, and with the system's error if it cannot be read.
 */
export async function openTrusted(path: string): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    // O_NONBLOCK: opening a pipe without a writer would block.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    if (hasCode(error, 'ELOOP')) throw new UntrustedFile(`${path} is a symbolic link: remove it`);
    // A socket, or a device without a driver.
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
  const directoryPath = dirname(path);
  const directory = await stat(directoryPath);
  const us = process.geteuid?.() ?? 0;
  const owners = new Set([0, us]);
  if (us === 0 && (await isDelegatedByRoot(directoryPath))) owners.add(directory.uid);
  if (!owners.has(directory.uid))
    throw untrusted(directoryPath, `belongs to user ${directory.uid}`, `chown ${us}`);
  // In a sticky directory such as /tmp, others cannot replace files that are not theirs.
  if ((directory.mode & OTHERS_WRITE) !== 0 && (directory.mode & STICKY) === 0) {
    throw untrusted(directoryPath, 'can be written by other users', 'chmod go-w');
  }
  if (!owners.has(file.uid)) throw untrusted(path, `belongs to user ${file.uid}`, `chown ${us}`);
  if ((file.mode & OTHERS_WRITE) !== 0) {
    throw untrusted(path, 'can be written by other users', 'chmod go-w');
  }
}

async function isDelegatedByRoot(directory: string): Promise<boolean> {
  const { uid, mode } = await stat(dirname(directory));
  return uid === 0 && (mode & OTHERS_WRITE) === 0;
}

function untrusted(path: string, why: string, fix: string): UntrustedFile {
  return new UntrustedFile(`${path} ${why}; if its content is right, run \`${fix} ${path}\``);
}

function irregular(path: string, what: string): IrregularFile {
  return new IrregularFile(`${path} is ${what}, not a regular file: remove it`);
}
