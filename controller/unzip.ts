import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';

/** JSON that is so small when zipped is unzipped in a millisecond or two. */
const SMALL_BYTES = 16_384;

const unzipInBackground = promisify(gunzip);

/**
 * The bytes that were zipped, at most `limit` of them; rejects where there would be more, or it is no gzip.
 *
 * A small body is unzipped here and now: the way through the thread pool alone takes ten times as long (10 and 130 us for
 * an app of thirty tasks).
 */
export async function unzip(bytes: Buffer, limit: number): Promise<Buffer> {
  const options = { maxOutputLength: limit };
  return bytes.length <= SMALL_BYTES ? gunzipSync(bytes, options) : await unzipInBackground(bytes, options);
}
