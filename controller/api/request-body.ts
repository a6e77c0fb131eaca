import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { checked, firstIssue } from '../input/schema-messages.ts';
import { utf8 } from '../input/utf8.ts';
import { type Answer, type Body, problem } from './route.ts';

/** The text of the request body, or the answer that refuses it. */
export async function bodyOf(body: Body, request: IncomingMessage): Promise<string | Answer> {
  const { what, maxBytes, schemas } = body;
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    return problem(415, `expected ${what} as application/json`);
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return problem(415, `expected ${what} without a content-encoding`);
  const bytes = await bytesOf(request, maxBytes);
  if (bytes === null) {
    return problem(413, `expected ${what} of at most ${maxBytes} bytes`, {}, { connection: 'close' });
  }
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
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
