import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';

/** JSON that is so small when zipped is unzipped in a millisecond or two. */
const SMALL_BYTES = 16_384;

const unzipBeside = promisify(gunzip);

/**
 * The bytes that were zipped, at most `limit` of them; rejects where there would be more, or it is no gzip.
 *
 * A small body is unzipped here and now: beside, a native handle would hold the question, its answer and who waits for it
 * until the old space is collected.
 */
export async function unzip(bytes: Buffer, limit: number): Promise<Buffer> {
  const options = { maxOutputLength: limit };
  return bytes.length <= SMALL_BYTES ? gunzipSync(bytes, options) : await unzipBeside(bytes, options);
}
