/** Requests as the routes see them, and the answers that they give. */

import type { IncomingMessage } from 'node:http';
import { malformed } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Caller } from './operations.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** What the pattern of the route took out of the path. */
  readonly at: Readonly<Record<string, string>>;
  readonly caller: Caller;
  readonly force: boolean;
  /** Read as JSON; throws the 400 where it is none. */
  readonly body: () => unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text; undefined: no body. */
  readonly body?: unknown;
}

export interface Route {
  readonly method: string;
  /** Groups with a name end in `request.at`. */
  readonly path: RegExp;
  readonly answer: (request: Request) => Reply;
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}

/** The answer to a write that started a deployment. */
export function deployed(started: { version: string; deploymentId: string }, status = 200): Reply {
  const { version, deploymentId } = started;
  return { status, headers: { 'Marathon-Deployment-Id': deploymentId }, body: { version, deploymentId } };
}

export function bodyObject(request: Request): JsonObject {
  const body = request.body();
  if (!isObject(body)) throw malformed([{ path: '', errors: ['error.expected.jsobject'] }]);
  return body;
}

export function bodyObjects(request: Request): readonly JsonObject[] {
  const body = request.body();
  if (!Array.isArray(body) || !body.every(isObject)) {
    throw malformed([{ path: '', errors: ['error.expected.jsarray'] }]);
  }
  return body;
}

export function isSet(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === 'true' || value === '';
}
