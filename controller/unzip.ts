import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { hasCode } from './errors.ts';

/** What is so small when zipped is unzipped in a millisecond or two, */
const SMALL_BYTES = 16_384;
/** unless it is much larger unzipped. */
const SMALL_UNZIPPED_BYTES = 1 << 20;

/**
 * Gives what was zipped, piece by piece, so that neither form is held as a whole; rejects where it is no gzip, or breaks off,
 * and with what `zipped` rejects with.
 *
 * A small body is unzipped here and now: the way through the thread pool alone takes ten times as long (10 and 130 us for
 * an app of thirty tasks).
 */
export async function* unzip(zipped: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const pieces = zipped[Symbol.asyncIterator]();
  const { bytes, whole } = await beginning(pieces);
  const small = whole ? unzipAtOnce(bytes) : null;
  if (small !== null) {
    yield small;
    return;
  }
  const gunzip = createGunzip({ chunkSize: 65_536 });
  // What it rejects with, reading from `gunzip` does too.
  void pipeline(all(bytes, pieces), gunzip).catch(() => undefined);
  yield* gunzip as AsyncIterable<Buffer>;
}

/** Reads until it is more than small, or whole. */
async function beginning(pieces: AsyncIterator<Uint8Array>): Promise<{ bytes: Buffer; whole: boolean }> {
  const read: Uint8Array[] = [];
  for (let size = 0; size <= SMALL_BYTES; ) {
    const { done, value } = await pieces.next();
    if (done) return { bytes: Buffer.concat(read), whole: true };
    read.push(value);
    size += value.length;
  }
  return { bytes: Buffer.concat(read), whole: false };
}

/** null where it is larger than expected. */
function unzipAtOnce(bytes: Buffer): Buffer | null {
  try {
    return gunzipSync(bytes, { maxOutputLength: SMALL_UNZIPPED_BYTES });
  } catch (error) {
    if (hasCode(error, 'ERR_BUFFER_TOO_LARGE')) return null;
    throw error;
  }
}

async function* all(first: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}
