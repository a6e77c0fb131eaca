import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file so that a reader, or a crash at any moment, sees either the old text or the new. Makes the
 * directory when it is missing. Rejects with the system's error.
 */
export async function replaceFile(path: string, text: string | Iterable<string>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const temporary = `${path}.${process.pid}.new`;
  try {
    // What lies there is of a crash, or a link that someone has laid: it must not be written through.
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      if (typeof text === 'string') await file.writeFile(text);
      else await writeInPieces(file, text);
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

const PIECE_BYTES = 65_536;

/**
 * One write for each small text would cost a system call for each app; and joined ones would be megabytes of strings and
 * buffers that live for as long as the disk takes, which is long enough to grow old.
 */
async function writeInPieces(file: FileHandle, texts: Iterable<string>): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let used = 0;
  for (const text of texts) {
    const bytes = Buffer.byteLength(text);
    if (used + bytes > PIECE_BYTES) {
      await file.writeFile(piece.subarray(0, used));
      used = 0;
    }
    if (bytes > PIECE_BYTES) await file.writeFile(text);
    else used += piece.write(text, used);
  }
  await file.writeFile(piece.subarray(0, used));
}
