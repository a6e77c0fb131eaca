import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { authenticate, authorize, type Tokens } from './access.ts';
import { discover } from './discovery.ts';
import type { Faults } from './faults.ts';
import type { Kind } from './kinds.ts';
import type { Operations } from './operations.ts';
import { StatusError } from './types.ts';
import { type Call, onCollection, onObject } from './verbs.ts';
import type { Watches } from './watching.ts';

/** One request as it was answered. */
export interface Logged {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly status: number;
  readonly httpVersion: string;
  readonly userAgent: string;
  /** Of the answer, as far as it has gone out. */
  readonly bytes: () => number;
}

export interface ServerParts {
  readonly operations: Operations;
  readonly watches: Watches;
  readonly faults: Faults;
  readonly tokens: Tokens | null;
  readonly log: Logged[];
}

/** Answers one request as the API server does. */
export function createListener(parts: ServerParts) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://server');
    const method = request.method ?? 'GET';
    const { socket } = request;
    const before = socket?.bytesWritten ?? 0;
    response.on('error', () => undefined);
    const watch = ['1', 'true'].includes(url.searchParams.get('watch') ?? '');
    try {
      const body = await bodyOf(request);
      const fault = parts.faults.take({ method, path: url.pathname, watch });
      if (fault === 'hang up') response.destroy();
      else if (fault !== null) {
        const text = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body);
        response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(text);
      } else answer({ request, response, url, method, body, watch }, parts);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else refuse(response, error);
    }
    parts.log.push({
      method,
      path: url.pathname,
      query: url.search,
      status: response.statusCode,
      httpVersion: request.httpVersion,
      userAgent: request.headers['user-agent'] ?? '',
      bytes: () => (socket?.bytesWritten ?? 0) - before,
    });
  };
}

function answer(call: Call, parts: ServerParts): void {
  const { request, response, url, method } = call;
  const rules = authenticate(request, parts.tokens);
  const found = method === 'GET' ? discover(url.pathname, parts.operations.kinds) : null;
  if (found !== null) {
    send(response, 200, found);
    return;
  }

  const target = targetOf(url.pathname, parts.operations);
  if (target === null) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
    return;
  }
  const { kind, name, subresource } = target;
  const verb = verbOf(method, name, call.watch);
  const resource = subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
  const attempt = { group: kind.group, resource, name: name ?? '' };
  authorize(rules, { verb, ...attempt });
  // An apply that creates the object is a creation too.
  if (
    verb === 'patch' &&
    subresource === undefined &&
    !parts.operations.exists({ ...target, name: name ?? '' })
  ) {
    authorize(rules, { verb: 'create', ...attempt });
  }
  if (Date.now() < kind.readyAt) {
    throw new StatusError(
      429,
      'TooManyRequests',
      'storage is (re)initializing',
      { retryAfterSeconds: 1 },
      { 'retry-after': '1' },
    );
  }
  const { namespace } = target;
  const { operations, watches } = parts;
  const reply =
    name === null
      ? onCollection(call, { kind, namespace }, verb, operations, watches)
      : onObject(call, { kind, namespace, name }, subresource, operations);
  if (reply !== null) send(response, reply.status, reply.body);
}

interface Target {
  readonly kind: Kind;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly subresource: string | undefined;
}

function targetOf(path: string, operations: Operations): Target | null {
  const match =
    /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
      path,
    );
  if (match === null) return null;
  const [, group = '', version = '', namespace, plural = '', name, subresource] = match;
  // `/api/v1/namespaces/NAME` is an object, although what follows might be a kind of it.
  const kind = operations.findKind(group, version, plural);
  if (kind === null || (subresource !== undefined && !(subresource === 'status' && kind.status))) return null;
  return { kind, namespace: namespace ?? null, name: name ?? null, subresource };
}

function verbOf(method: string, name: string | null, watch: boolean): string {
  if (method === 'GET') return watch ? 'watch' : name === null ? 'list' : 'get';
  const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };
  return verbs[method] ?? (name === null ? 'deletecollection' : 'delete');
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-type']?.includes('protobuf')) {
    throw new StatusError(415, 'UnsupportedMediaType', 'this server reads JSON and YAML only');
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : parse(text);
}

/** From so many bytes on answers are compressed, for those who take it. */
const COMPRESSED_FROM = 128 * 1024;

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  const taken = response.req?.headers['accept-encoding']?.includes('gzip');
  if (taken && text.length > COMPRESSED_FROM) {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    response.writeHead(status, headers).end(gzipSync(text, { level: 4 }));
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

function refuse(response: ServerResponse, error: unknown): void {
  const status = error instanceof StatusError ? error : new StatusError(500, 'InternalError', String(error));
  response
    .writeHead(status.code, { 'content-type': 'application/json', ...status.headers })
    .end(JSON.stringify(status.toStatus()));
}
