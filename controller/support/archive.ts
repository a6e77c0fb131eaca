import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { ControllerError, hasCode, systemReason } from '../errors.ts';

/** An archive file that exists and is still empty. */
export interface Archive {
  /** Writes all files into one folder of the archive and closes it. Rejects as `openArchive` does, after removing the archive. */
  write(
    folder: string,
    files: readonly { readonly name: string; readonly text: string }[],
    mtime: Date,
  ): Promise<void>;
  /** Removes the archive. */
  discard(): Promise<void>;
}

/** Creates a .tar.gz that only its owner can read. Rejects with a `ControllerError` if the file exists or cannot be created. */
export async function openArchive(path: string): Promise<Archive> {
  const file = await open(path, 'wx', 0o600).catch((error) => {
    const why = hasCode(error, 'EEXIST') ? 'the file already exists' : systemReason(error);
    throw unwritten(path, why);
  });
  const discard = async () => {
    await file.close();
    await rm(path, { force: true });
  };
  return {
    discard,
    async write(folder, files, mtime) {
      try {
        const archive = pack();
        for (const { name, text } of files) {
          archive.entry({ name: `${folder}/${name}`, mode: 0o600, mtime }, text);
        }
        archive.finalize();
        await pipeline(archive, createGzip(), file.createWriteStream());
      } catch (error) {
        await discard();
        throw unwritten(path, systemReason(error));
      }
    },
  };
}

function unwritten(path: string, why: string): ControllerError {
  return new ControllerError('usage', `cannot write ${path}: ${why}; name another file with --out`, {
    retry: 'never',
  });
}
