import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { ControllerError, hasCode, systemReason } from '../errors.ts';

/**
 * Writes a .tar.gz that only its owner can read, with all files in one folder. Rejects with a `ControllerError` where there
 * is a file of that name already, or it cannot be written; what was written of it is then removed.
 */
export async function writeArchive(
  path: string,
  folder: string,
  files: readonly { readonly name: string; readonly text: string }[],
  mtime: Date,
): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error) => {
    const why = hasCode(error, 'EEXIST') ? 'there is a file of that name already' : systemReason(error);
    throw unwritten(path, why);
  });
  try {
    const archive = pack();
    for (const { name, text } of files) {
      archive.entry({ name: `${folder}/${name}`, mode: 0o600, mtime }, text);
    }
    archive.finalize();
    await pipeline(archive, createGzip(), file.createWriteStream());
  } catch (error) {
    await rm(path, { force: true });
    throw unwritten(path, systemReason(error));
  }
}

function unwritten(path: string, why: string): ControllerError {
  return new ControllerError('usage', `${path} cannot be written: ${why}; --out names another file`, {
    retry: 'never',
  });
}
