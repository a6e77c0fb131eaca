/** One HTTP request and its answer, for the clients of Marathon, Mesos and Kubernetes. */

import { type Dispatcher, request } from 'undici';
import { Pace } from '../pace.ts';
import { BodyBuffer } from './body-buffer.ts';
import { decodedBody } from './encoding.ts';
import { Failure } from './failure.ts';
import { namingStatus } from './invalid-status.ts';

const MIB = 2 ** 20;

/**
 * Sends a request and resolves once the answer begins. Does not follow redirects; rejects with an `InvalidStatus`, or with the
 * connection's error.
 */
export async function exchange(
  url: URL,
  options: Omit<Dispatcher.RequestOptions, 'origin' | 'path'> & { readonly dispatcher?: Dispatcher },
): Promise<Dispatcher.ResponseData> {
  const response = await request(url, options).catch((error: unknown) => {
    throw namingStatus(error);
  });
  // Without a listener a body that breaks off would end the process.
  response.body.on('error', () => undefined);
  return response;
}

/** The default limit for one answer, after decompression. */
export const MAX_ANSWER_BYTES = 256 * MIB;

/** The whole body, decompressed. Rejects with a `Failure` if it is larger than `maxBytes`. */
export async function wholeBody(
  { headers, body }: Dispatcher.ResponseData,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<Buffer> {
  const buffer = new BodyBuffer(maxBytes);
  const pace = new Pace();
  try {
    for await (const piece of decodedBody(body, headers['content-encoding'])) {
      await pace.restIfDue();
      if (!buffer.append(piece)) throw tooLarge(maxBytes);
    }
  } catch (error) {
    // A body that is being unzipped would otherwise be read to its end.
    body.destroy();
    throw error;
  }
  return buffer.bytes();
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
    `the answer is larger than ${limit} (unzipped), which is the limit, so it is not used; to see its beginning: curl -s --compressed URL | head -c 2000`,
    'never',
  );
}
