/** The HTTP side: finds the route, asks who may, and sends the answer as Marathon's own server would. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ApiError, malformed, noSuchRoute } from './errors.ts';
import type { EventBus } from './events.ts';
import { type BadBody, damaged, type HttpFaults } from './faults.ts';
import type { Masters } from './masters.ts';
import { isSet, type Reply, type Request, type Route } from './reply.ts';

export interface Credentials {
  /** HTTP basic authentication, `user:password`. */
  readonly basic?: string;
  /** What DC/OS wants to see in `Authorization: token=…`. */
  readonly token?: string;
}

export interface LoggedRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ServerParts {
  readonly routes: readonly Route[];
  /** Below `/control`: for the operator of the test, no part of Marathon and without faults. */
  readonly controlRoutes: readonly Route[];
  readonly events: EventBus;
  readonly faults: HttpFaults;
  readonly masters: Masters;
  readonly credentials: Credentials;
  readonly scheme: 'http' | 'https';
  readonly log: LoggedRequest[];
  /** Whether deployment events lack the plan's groups unless asked otherwise (Marathon >= 1.7). */
  readonly lightPlans: boolean;
}

export function masterListener(index: number, parts: ServerParts): RequestListener {
  return (request, response) => {
    answer(index, parts, request, response).catch((error: unknown) => {
      send(request, response, replyTo(error), undefined);
    });
  };
}

async function answer(
  index: number,
  parts: ServerParts,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://marathon');
  const path = decodeURIComponent(pathname).replaceAll(/\/{2,}/g, '/');
  const body = await readAll(message);
  const control = path.startsWith('/control/');
  const request = requestOf(message, path, searchParams, body);
  if (control) {
    send(message, response, dispatch(parts.controlRoutes, request), undefined);
    return;
  }

  parts.log.push({ method: request.method, url: message.url ?? '/', headers: message.headers, body });
  const fault = parts.faults.take(path);
  if (parts.faults.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, parts.faults.delayMs));
  if (fault.status !== undefined)
    throw new ApiError(fault.status, { message: `made to answer ${fault.status}` });
  authenticate(parts.credentials, message);

  const { masters } = parts;
  if (masters.leader === null) {
    send(message, response, { status: 502, body: 'Could not determine the current leader' }, undefined);
    return;
  }
  const leader = `${parts.scheme}://${masters.leader}`;
  const leads = masters.leads(index);
  response.setHeader('X-Marathon-Leader', leader);
  if (!leads) response.setHeader('X-Marathon-Via', `1.1 ${masters.addresses[index]}`);
  if (path === '/v2/events') {
    attach(parts, message, response, searchParams, leads ? null : `${leader}${message.url}`);
    return;
  }
  send(message, response, dispatch(parts.routes, request), fault.body);
}

function requestOf(message: IncomingMessage, path: string, query: URLSearchParams, body: string): Request {
  return {
    method: message.method ?? 'GET',
    path,
    query,
    headers: message.headers,
    at: {},
    caller: { clientIp: message.socket.remoteAddress ?? '', uri: path },
    force: isSet(query, 'force'),
    body: () => parseJson(body),
  };
}

function dispatch(routes: readonly Route[], request: Request): Reply {
  for (const route of routes) {
    const match = route.method === request.method ? route.path.exec(request.path) : null;
    if (!match) continue;
    try {
      return route.answer({ ...request, at: { ...match.groups } });
    } catch (error) {
      return replyTo(error);
    }
  }
  throw noSuchRoute();
}

function attach(
  { events, lightPlans }: ServerParts,
  message: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  elsewhere: string | null,
): void {
  if (elsewhere !== null)
    send(message, response, { status: 302, headers: { Location: elsewhere } }, undefined);
  else if (!message.headers.accept?.includes('text/event-stream'))
    send(message, response, { status: 405 }, undefined);
  else {
    const light = lightPlans || query.get('plan-format') === 'light';
    events.attach(response, message.socket.remoteAddress ?? '', query.getAll('event_type'), light);
  }
}

function authenticate({ basic, token }: Credentials, { headers }: IncomingMessage): void {
  const given = headers.authorization ?? '';
  if (basic !== undefined && given !== `Basic ${Buffer.from(basic).toString('base64')}`) {
    throw new ApiError(401, { message: 'Invalid username or password.' });
  }
  if (
    token !== undefined &&
    given !== `token=${token}` &&
    !headers.cookie?.includes(`dcos-acs-auth-cookie=${token}`)
  ) {
    throw new ApiError(401, { message: 'not authenticated' });
  }
}

/** A bug in the test Marathon is answered too, so that it shows in the test that met it. */
function replyTo(error: unknown): Reply {
  if (!(error instanceof ApiError))
    return { status: 500, body: { message: String(error instanceof Error ? error.stack : error) } };
  const headers = error.status === 401 ? { 'WWW-Authenticate': 'Basic realm="Mesosphere"' } : {};
  return { status: error.status, headers, body: error.body };
}

function send(
  message: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  bad: BadBody | undefined,
): void {
  if (response.headersSent) return;
  const text = typeof reply.body === 'string';
  const plain =
    reply.body === undefined
      ? Buffer.alloc(0)
      : Buffer.from(text ? String(reply.body) : JSON.stringify(reply.body));
  const chosen = bad === undefined || bad === 'cut' ? plain : damaged(plain, bad);
  const zipped = chosen.length > 0 && String(message.headers['accept-encoding'] ?? '').includes('gzip');
  const bytes = zipped ? gzipSync(chosen, { level: 1 }) : chosen;
  response.writeHead(reply.status, {
    'Content-Type': text ? 'text/plain; charset=utf-8' : 'application/json',
    'Content-Length': bytes.length,
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
    ...reply.headers,
  });
  if (bad === 'cut') response.write(damaged(bytes, 'cut'), () => response.destroy());
  else response.end(bytes);
}

async function readAll(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}
