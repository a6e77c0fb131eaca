import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, systemReason } from '../errors.ts';

/**
 * Replaces a file atomically: a reader, or a crash at any moment, finds either the old text or the new. Creates the directory
 * if it is missing. The new file can be read and written by its owner only. Rejects with the system's error, or with one that names
 * the directory that cannot be made.
 */
export async function replaceFile(path: string, text: string | Iterable<string>): Promise<void> {
  await makeDirectory(dirname(path));
  const temporary = `${path}.${process.pid}.new`;
  try {
    // A file left by a crash, or a link that someone placed there and that must not be followed.
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      if (typeof text === 'string') await file.writeFile(text);
      else await writeInChunks(file, text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o750 });
  } catch (error) {
    const reason = hasCode(error, 'EEXIST')
      ? 'a file has its name'
      : hasCode(error, 'ENOENT')
        ? 'a link on its path leads nowhere'
        : systemReason(error);
    throw new Error(`the directory ${path} cannot be made: ${reason}`);
  }
}

const CHUNK_BYTES = 65_536;

/**
 * Writes texts in chunks. One write for each text would cost a system call for each app. Joining all of them would make
 * megabytes of strings and buffers that live as long as the disk takes, long enough for V8 to move them to the old generation.
 */
async function writeInChunks(file: FileHandle, texts: Iterable<string>): Promise<void> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let used = 0;
  for (const text of texts) {
    const bytes = Buffer.byteLength(text);
    if (used + bytes > CHUNK_BYTES) {
      await file.writeFile(chunk.subarray(0, used));
      used = 0;
    }
    if (bytes > CHUNK_BYTES) await file.writeFile(text);
    else used += chunk.write(text, used);
  }
  await file.writeFile(chunk.subarray(0, used));
}
