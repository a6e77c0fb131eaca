/** One request to a server of the cluster, and its answer: what the clients of Marathon, Mesos and Kubernetes stand on. */

import { type Dispatcher, request } from 'undici';
import { Pace } from '../pace.ts';
import { decodedBody } from './encoding.ts';
import { Failure } from './failure.ts';
import { Gathered } from './gathered.ts';

const MIB = 2 ** 20;

/** Resolves once the answer begins; follows no redirect. Rejects with whatever the connection failed with. */
export async function exchange(
  url: URL,
  options: Omit<Dispatcher.RequestOptions, 'origin' | 'path'> & { readonly dispatcher?: Dispatcher },
): Promise<Dispatcher.ResponseData> {
  const response = await request(url, options);
  // A body that breaks off while no one reads it would end the process.
  response.body.on('error', () => undefined);
  return response;
}

/** The most that is read of one answer unless told otherwise, after decompression. */
export const MAX_ANSWER_BYTES = 256 * MIB;

/** The whole body, decompressed. Rejects with a `Failure` where it is larger than `maxBytes`. */
export async function wholeBody(
  { headers, body }: Dispatcher.ResponseData,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<Buffer> {
  const gathered = new Gathered(maxBytes);
  const pace = new Pace();
  try {
    for await (const piece of decodedBody(body, headers['content-encoding'])) {
      await pace.restIfDue();
      if (!gathered.append(piece)) throw tooLarge(maxBytes);
    }
  } catch (error) {
    // Where it is unzipped it would be read on until the server sends no more.
    body.destroy();
    throw error;
  }
  return gathered.bytes();
}

/** The first bytes of a body, decompressed; the rest is not read. */
export async function beginningOfBody(
  { headers, body }: Dispatcher.ResponseData,
  bytes: number,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of decodedBody(body, headers['content-encoding'])) {
      pieces.push(piece);
      size += piece.length;
      if (size >= bytes) break;
    }
  } finally {
    body.destroy();
  }
  return Buffer.concat(pieces).subarray(0, bytes);
}

function tooLarge(maxBytes: number): Failure {
  const limit = maxBytes % MIB === 0 ? `${maxBytes / MIB} MiB` : `${maxBytes} bytes`;
  return new Failure(
    `the answer is larger than ${limit} (unzipped), and no more is accepted: none of it is used; to see what is in it: curl -s --compressed URL | head -c 2000`,
    'never',
  );
}
