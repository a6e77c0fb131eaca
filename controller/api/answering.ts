import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { firstIssue } from '../input/schema-messages.ts';
import type { Access, Credentials } from './access/access.ts';
import { namesLoopback } from './host-header.ts';
import { inputOf, listedPaths, matchRoute, parameterName, queryProblem } from './matching.ts';
import { bodyOf, expectsContinue } from './request-body.ts';
import { type Answer, problem, type Route } from './route.ts';

/** What a server answers requests with. */
export interface Serving<Services> {
  readonly routes: readonly Route<Services>[];
  readonly services: Services;
  readonly access: Access;
  /** Why writing is disabled, for clients that may read; null if it is enabled. */
  readonly writesOff: string | null;
  /** Whether the `Host` header must name loopback. */
  readonly requiresLoopbackHost: boolean;
  readonly certificateOf: (socket: Socket) => Credentials['certificate'];
}

/**
 * Answers a request by its route, or refuses it. The checks are in this order, so that whoever lacks a right learns nothing
 * else, and no body is read in vain: host, right, method, path, whether writing is enabled, parameters, body.
 */
export async function answerRequest<Services>(
  { routes, services, writesOff, access, requiresLoopbackHost, certificateOf }: Serving<Services>,
  request: IncomingMessage,
  response: Pick<ServerResponse, 'writeContinue'>,
): Promise<Answer> {
  const { method = '', headers, socket } = request;
  const wrongHeaders = refusalOfHeaders(request);
  if (wrongHeaders !== null) return wrongHeaders;
  const { host, path, query } = targetOf(request);
  // Only HTTP/1.0 comes without a host, and no browser speaks that.
  if (requiresLoopbackHost && host !== undefined && !namesLoopback(host)) {
    return problem(
      421,
      'this address is for clients on this host; use 127.0.0.1, [::1] or localhost as host',
    );
  }
  const { route, needs, frequent, methods } = matchRoute(routes, method, path);
  const off = needs === 'write' ? writesOff : null;
  const credentials = { headers, address: socket.remoteAddress ?? '', certificate: certificateOf(socket) };
  const right = access.admit(credentials, off === null ? needs : 'read', frequent);
  if (typeof right !== 'string') return right;
  if (!methods.includes(method)) {
    return problem(405, `${method} is not allowed here`, { methods }, { allow: methods.join(', ') });
  }
  if (route === undefined) return problem(404, 'no such endpoint', { endpoints: listedPaths(routes) });
  if (off !== null) return problem(403, off);
  const wrongQuery = queryProblem(route, query);
  if (wrongQuery !== null) return problem(400, wrongQuery);
  const { data: input, error } = inputOf(route, path, query);
  if (error !== undefined) return problem(parameterName(route) === null ? 400 : 404, firstIssue(error));
  const body = route.body === undefined ? '' : await bodyOf(route.body, request, response);
  return typeof body === 'string' ? await route.answer(services, { input, headers, right, body }) : body;
}

/** Refuses headers that HTTP itself does not allow, after which no further request on the connection is answered. */
function refusalOfHeaders({ headers, headersDistinct, httpVersion }: IncomingMessage): Answer | null {
  const refused = (status: number, error: string) => problem(status, error, {}, { connection: 'close' });
  if ((headersDistinct['host']?.length ?? 0) > 1) return refused(400, 'expected one Host header');
  if (headers.host === undefined && httpVersion !== '1.0') return refused(400, 'expected a Host header');
  if (expectsContinue(headers.expect ?? '100-continue')) return null;
  return refused(417, 'expected no Expect header other than 100-continue');
}

/** What a request is for. A client may send the whole URL, as to a proxy; its host then counts, and not the header (RFC 9112). */
function targetOf({ url = '', headers }: IncomingMessage): {
  readonly host: string | undefined;
  /** As sent: not decoded, and with dots and repeated slashes. */
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const [, host, rest = ''] = /^https?:\/\/([^/?]*)(.*)$/is.exec(url) ?? [];
  const relative = host === undefined ? url : rest.startsWith('/') ? rest : `/${rest}`;
  const [path = '', query = ''] = relative.split(/\?(.*)/s);
  return { host: host ?? headers.host, path, query: new URLSearchParams(query) };
}
