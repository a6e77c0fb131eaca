import type { Dispatcher } from 'undici';
import { messageOf } from '../../errors.ts';
import { answerFailure, Failure } from './failure.ts';

/** What came back, its body not read yet. */
export interface Answer {
  readonly url: URL;
  readonly response: Dispatcher.ResponseData;
  /** Whether credentials exist and were kept from this host. */
  readonly withheld: boolean;
}

/** A write. */
export interface Message {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON text, sent as it is. */
  readonly body?: string | undefined;
}

/** Marathon's answer to a write. */
export interface Reply {
  readonly status: number;
  /** Header `Marathon-Deployment-Id`. */
  readonly deployment: string | null;
  /** null where the body is empty or no JSON. */
  readonly json: unknown;
  /** What was asked, for a message: `POST http://10.0.0.1:8080/v2/apps`. */
  readonly asked: string;
}

/** What a read was answered; null where Marathon itself says that there is no such thing. Throws a `Failure`. */
export function parseAnswer<T>(
  { response, withheld }: Answer,
  body: Buffer,
  parse: (body: Buffer) => T,
): T | null {
  const { statusCode } = response;
  if (statusCode !== 200) {
    const failure = answerFailure(statusCode, body.toString('utf8'), withheld, 'JSON');
    if (failure.absent) return null;
    throw failure;
  }
  try {
    return parse(body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Failure(`the answer is no JSON (${body.length} bytes: ${messageOf(error)})`, 'later', error);
  }
}

/** What a write was answered. Throws a `Failure` for what is no word of Marathon's about it. */
export function replyOf({ response, withheld }: Answer, body: string, asked: string): Reply {
  const { statusCode: status, headers } = response;
  const json = jsonOrNull(body);
  if (status === 401 || status >= 500 || (json === null && body !== '')) {
    throw answerFailure(status, body, withheld, 'JSON');
  }
  const id = headers['marathon-deployment-id'];
  return { status, deployment: typeof id === 'string' ? id : null, json, asked };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `JSON.parse` of a body. */
export function parseText(body: Buffer): unknown {
  return JSON.parse(body.toString('utf8'));
}
