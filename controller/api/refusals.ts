/** Answers to requests that Node itself refuses, in the form of all other refusals. */

import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '../errors.ts';
import { type Answer, problem } from './route.ts';

/** Headers of every answer: nothing is cached, framed, or read by pages of other sites. */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** The rest of a shorter body is read and dropped, and the connection stays open. */
const MAX_DRAINED_BYTES = 65_536;
/** How long a refused client may go on sending, so that it reads the answer before its connection is reset. */
const LINGER_MS = 1_000;

/**
 * Answers requests that are not valid HTTP, that come too slowly, or whose headers are too long, with JSON instead of Node's
 * answers without a body. CONNECT, which Node would not answer at all, is refused too.
 */
export function refuseInJson(server: Server): void {
  server.on('clientError', (error, socket) => refuse(socket, refusalOf(error)));
  server.on('connect', (_, socket) => refuse(socket, problem(405, 'CONNECT is not allowed here')));
}

/** Whether so much of the body is still to come that reading it in vain costs more than a new connection. */
export function hasLongUnreadBody({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return (
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > MAX_DRAINED_BYTES
  );
}

/**
 * Lets the client of a request that is answered before its body has come read that answer: closing the connection while the
 * body comes in would reset it, and the client would lose the answer. Call it before the answer, which must have
 * `Connection: close`, is sent.
 */
export function lingerAfterAnswer({ socket }: IncomingMessage): void {
  // Node calls this once the answer is sent, and goes on reading.
  socket.destroySoon = () => {
    socket.end();
    const limit = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(limit));
  };
}

function refusalOf(error: NodeJS.ErrnoException): Answer {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return problem(431, 'the headers of the request are too long');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem(413, 'the chunk extensions of the request are too long');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem(408, 'the request did not arrive in time');
    default:
      return problem(400, `the request is not valid HTTP: ${messageOf(error)}`);
  }
}

function refuse(socket: Duplex, { status, headers, body }: Answer): void {
  // Nothing can be sent before the TLS handshake is over.
  if ('secureConnecting' in socket && socket.secureConnecting === true) return void socket.destroy();
  // An answer that has begun must not continue as another one, and the rest of a broken request is broken too.
  if (!socket.writable || isAnswering(socket)) return void socket.destroy();
  const text = String(body);
  const all = {
    ...SECURITY_HEADERS,
    ...headers,
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`, () =>
    socket.destroy(),
  );
}

/** Whether headers of an answer have been sent on the connection; only Node's own field knows. */
function isAnswering(
  socket: Duplex & { readonly _httpMessage?: { readonly headersSent: boolean } | null },
): boolean {
  return socket._httpMessage?.headersSent === true;
}
