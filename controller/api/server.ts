import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { z } from 'zod';
import type { ListenOption } from '../config/values.ts';
import { messageOf } from '../errors.ts';
import { decoded } from '../http/urls.ts';
import { isLoopback } from '../loopback.ts';
import type { Clock, Log } from '../ports.ts';
import { checked, firstIssue } from '../schema-messages.ts';
import { DocumentTooLong } from '../text/visible.ts';
import { utf8 } from '../utf8.ts';
import { type Access, type Credentials, createAccess } from './access/access.ts';
import type { AccessFiles } from './access/files.ts';
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  type Connections,
  limitConnections,
} from './connections.ts';
import { namesLoopback } from './host-header.ts';
import { closeServer, listenOn, urlOf } from './listening.ts';
import { type Answer, type Body, problem, type Route } from './route.ts';
import { createTlsServer } from './tls-server.ts';

export interface ServerOptions<Services> {
  readonly listen: ListenOption;
  /** The option that sets the address, for messages; defaults to `--listen`. */
  readonly flag?: string | undefined;
  readonly routes: readonly Route<Services>[];
  readonly services: Services;
  /** Certificates and tokens; without them there is no TLS, every client may read and none may write. */
  readonly access?: AccessFiles | undefined;
  /** Why writing is disabled, for clients that may read; null if it is enabled. */
  readonly writesOff: string | null;
  /** Limits that differ from `CONNECTION_LIMITS`. */
  readonly connections?: Partial<ConnectionLimits> | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface HttpServer {
  /** `http://127.0.0.1:61421`, or https; with the actual port if port 0 was configured. */
  readonly url: string;
  /** Accepts no more requests; resolves when the current ones are answered, or after a second. */
  close(): Promise<void>;
}

/** Generous for probes and people, tight for clients that send slowly or too much. */
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const NO_FILES: AccessFiles = {
  identity: null,
  clientCertificates: false,
  clientNames: null,
  readToken: null,
  writeToken: null,
  warnings: () => [],
  close: () => undefined,
};

/**
 * Serves a list of routes. Rejects with a `ControllerError` if the address cannot be used.
 *
 * No client can end the process: an error while answering a request is logged and answered with 500.
 */
export async function startServer<Services>(options: ServerOptions<Services>): Promise<HttpServer> {
  const { listen, log, clock, access: files = NO_FILES } = options;
  const serving: Serving<Services> = {
    ...options,
    access: createAccess({
      certificates: files.clientCertificates,
      clientNames: files.clientNames,
      readToken: files.readToken?.current ?? null,
      writeToken: files.writeToken?.current ?? null,
      clock,
      log,
    }),
    requiresLoopbackHost: isLoopback(listen.address),
    certificateOf: (socket) => certificateOf(socket),
  };

  const { server, certificateOf } = serverFor(files, (request, response) => {
    // Socket errors mean that the client disconnected.
    response.on('error', () => {});
    answer(serving, request)
      .catch((error: unknown) => {
        log.error('request failed', { method: request.method, url: request.url, error });
        if (error instanceof DocumentTooLong) return problem(500, error.message);
        return problem(500, 'internal error; see the log of the controller');
      })
      .then(async (found) => {
        await delay(found.delayMs, request, response);
        send(connections, request, response, found);
      });
  });
  /** Waits, but no longer than the connection lasts. */
  async function delay(delayMs: number | undefined, request: IncomingMessage, response: ServerResponse) {
    if (delayMs === undefined) return;
    connections.delayed(request);
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    await clock.sleep(delayMs, closed.signal);
  }

  const connections = limitConnections(server, { ...CONNECTION_LIMITS, ...options.connections });
  await listenOn(server, listen, options.flag ?? '--listen');
  server.on('error', (error) => log.error('HTTP server', { error }));
  return {
    url: urlOf(files.identity === null ? 'http' : 'https', server, listen),
    close: () => closeServer(server),
  };
}

/** Plain HTTP without a certificate; then clients present none either. */
function serverFor({ identity, clientCertificates }: AccessFiles, listener: RequestListener) {
  if (identity !== null) return createTlsServer(LIMITS, identity, clientCertificates, listener);
  return { server: createServer(LIMITS, listener), certificateOf: () => 'none' as const };
}

interface Serving<Services> extends Pick<ServerOptions<Services>, 'routes' | 'services' | 'writesOff'> {
  readonly access: Access;
  /** Whether the `Host` header must name loopback. */
  readonly requiresLoopbackHost: boolean;
  readonly certificateOf: (socket: Socket) => Credentials['certificate'];
}

async function answer<Services>(
  { routes, services, writesOff, access, requiresLoopbackHost, certificateOf }: Serving<Services>,
  request: IncomingMessage,
): Promise<Answer> {
  const { method = '', headers, socket } = request;
  if ((request.headersDistinct['host']?.length ?? 0) > 1)
    return problem(400, 'expected one Host header', {}, { connection: 'close' });
  const { host, url } = targetOf(request);
  // Only HTTP/1.0 comes without a host, and no browser speaks that.
  if (requiresLoopbackHost && host !== undefined && !namesLoopback(host)) {
    return problem(
      421,
      'this address is for clients on this host; use 127.0.0.1, [::1] or localhost as host',
    );
  }
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const matching = routes.filter((route) => parameterOf(route, path) !== null);
  const route = matching.find((one) => methodsOf(one).includes(method));
  const { needs, frequent = false } = route ?? matching[0] ?? UNKNOWN;
  const off = needs === 'write' ? writesOff : null;
  const credentials = { headers, address: socket.remoteAddress ?? '', certificate: certificateOf(socket) };
  const right = access.admit(credentials, off === null ? needs : 'read', frequent);
  if (typeof right !== 'string') return right;
  const methods = matching.length === 0 ? READ : matching.flatMap(methodsOf);
  if (!methods.includes(method)) {
    return problem(405, `${method} is not allowed here`, { methods }, { allow: methods.join(', ') });
  }
  if (route === undefined) return problem(404, 'no such endpoint', { endpoints: endpointsOf(routes) });
  if (off !== null) return problem(403, off);
  const { data: input, error } = inputOf(route, path, new URLSearchParams(query));
  if (error !== undefined) return problem(parameterName(route) === null ? 400 : 404, firstIssue(error));
  const body = route.body === undefined ? '' : await bodyOf(route.body, request);
  return typeof body === 'string' ? await route.answer(services, { input, headers, right, body }) : body;
}

/** What a request is for. A client may send the whole URL, as to a proxy; its host then counts, and not the header (RFC 9112). */
function targetOf({ url = '', headers }: IncomingMessage): {
  readonly host: string | undefined;
  readonly url: string;
} {
  const [, host, rest = ''] = /^https?:\/\/([^/?]*)(.*)$/is.exec(url) ?? [];
  if (host === undefined) return { host: headers.host, url };
  return { host, url: rest.startsWith('/') ? rest : `/${rest}` };
}

const READ: readonly string[] = ['GET', 'HEAD'];
const UNKNOWN = { needs: 'read', frequent: false } as const;

/** Every readable route also takes HEAD, except those that need the right to write: only programs use them. */
function methodsOf({ method, needs }: Pick<Route<never>, 'method' | 'needs'>): readonly string[] {
  return method === 'GET' && needs !== 'write' ? READ : [method];
}

/** The endpoints that a 404 lists: all but files. */
function endpointsOf(routes: readonly Route<never>[]): readonly string[] {
  const listed = routes.filter((route) => route.id !== undefined || parameterName(route) === null);
  return [...new Set(listed.map(({ path }) => path))];
}

/** The name of the path parameter; null if the path has none. */
function parameterName({ path }: Pick<Route<never>, 'path'>): string | null {
  return /\{(\w+)\}$/.exec(path)?.[1] ?? null;
}

/** The path parameter's value, empty for a route without one; null if `path` does not match. */
function parameterOf(route: Pick<Route<never>, 'path'>, path: string): string | null {
  const name = parameterName(route);
  if (name === null) return path === route.path ? '' : null;
  const before = route.path.slice(0, -`{${name}}`.length);
  return path.startsWith(before) ? path.slice(before.length) : null;
}

const NO_INPUT = z.object({});

function inputOf(
  { input = NO_INPUT, ...route }: Pick<Route<never>, 'input' | 'path'>,
  path: string,
  query: URLSearchParams,
) {
  const given = (name: string, schema: unknown) => {
    // Clients generated from the OpenAPI description escape slashes in a path parameter as `%2F`.
    if (name === parameterName(route)) return decoded(parameterOf(route, path) ?? '');
    return schema instanceof z.ZodArray ? query.getAll(name) : (query.get(name) ?? undefined);
  };
  const texts = Object.entries(input.shape).map(([name, schema]) => [name, given(name, schema)]);
  return checked(input, Object.fromEntries(texts));
}

/** The text of the request body, or the answer that refuses it. */
async function bodyOf(body: Body, request: IncomingMessage): Promise<string | Answer> {
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

function send(
  connections: Connections,
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
): void {
  connections.sending(response, typeof body === 'function');
  const length =
    status === 304 || typeof body === 'function' ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...SECURITY_HEADERS, ...headers, ...length });
  if (request.method === 'HEAD') response.end();
  else if (typeof body === 'function') body(response);
  else response.end(body);
}
