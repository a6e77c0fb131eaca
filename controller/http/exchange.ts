/** One request to a server of the cluster, and its answer: what the clients of Marathon, Mesos and Kubernetes stand on. */

import { type Dispatcher, request } from 'undici';
import { Pace } from '../pace.ts';
import { decodeBody } from './encoding.ts';
import { Failure } from './failure.ts';

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

/** The whole body, decompressed. Rejects with a `Failure` where it is larger than `maxBytes`. */
export async function wholeBody(
  { headers, body }: Dispatcher.ResponseData,
  maxBytes = 256 * 1024 * 1024,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const pace = new Pace();
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    await pace.restIfDue();
    size += chunk.length;
    if (size > maxBytes) throw new Failure(`the answer is larger than ${maxBytes} bytes`, 'never');
    chunks.push(chunk);
  }
  return decodeBody(Buffer.concat(chunks, size), headers['content-encoding'], maxBytes);
}
