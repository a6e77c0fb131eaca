import { readWithin } from './bounded-read.ts';
import { OverBound } from './bounds.ts';

/** No certificate, key or token is larger. */
const MAX_BYTES = 1_048_576;

/**
 * Reads a file that holds a certificate, a key, a token or a password. It never waits for a writer, unlike `readFile`, which
 * occupies a thread for good when something has put a pipe in the file's place: four of them stop every file access.
 *
 * Rejects with an `IrregularFile` if it is not a regular file, with an `OverBound` if it has more than 1 MiB, and with the
 * system's error if it cannot be read.
 */
export async function readSmallFile(path: string): Promise<Buffer> {
  const bytes = await readWithin(
    path,
    { maxBytes: MAX_BYTES, mayBePipe: false },
    new AbortController().signal,
  );
  if (bytes === null) throw new OverBound(`expected at most ${MAX_BYTES} bytes, got more`);
  return bytes;
}
