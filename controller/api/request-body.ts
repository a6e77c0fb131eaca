import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { checked, firstIssue } from '../input/schema-messages.ts';
import { utf8 } from '../input/utf8.ts';
import { type Answer, type Body, problem } from './route.ts';

/** Whether the client waits to be asked for the body. */
export function expectsContinue(expect: string): boolean {
  return /^100-continue$/i.test(expect);
}

/** The text of the request body, or the answer that refuses it. A body that is refused by its headers is not asked for. */
export async function bodyOf(
  body: Body,
  request: IncomingMessage,
  response: Pick<ServerResponse, 'writeContinue'>,
): Promise<string | Answer> {
  const { what, maxBytes, schemas } = body;
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    return problem(415, `expected ${what} as application/json`);
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return problem(415, `expected ${what} without a content-encoding`);
  const tooLong = problem(413, `expected ${what} of at most ${maxBytes} bytes`, {}, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return tooLong;
  if (request.httpVersion !== '1.0' && expectsContinue(request.headers.expect ?? ''))
    response.writeContinue();
  const bytes = await bytesOf(request, maxBytes);
  if (bytes === null) return tooLong;
  const text = utf8(bytes);
  if (text === null) return problem(400, 'the body is not UTF-8');
  try {
    const { error } = checked(z.union(Object.values(schemas)), JSON.parse(text));
    return error === undefined ? text : problem(400, `the body is not ${what}: ${firstIssue(error)}`);
  } catch (error) {
    return problem(400, `the body is not valid JSON: ${messageOf(error)}`);
  }
}

async function bytesOf(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Ending early must leave the request as it is: the refusal is still to be sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
