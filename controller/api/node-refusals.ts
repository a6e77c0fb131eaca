/** Answers to requests that Node itself refuses, in the form of all other refusals. */

import { type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '../errors.ts';
import { type Answer, problem } from './route.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { isInAnsweredBody } from './unread-body.ts';

/**
 * Answers requests that are not valid HTTP, that come too slowly, or whose headers are too long, with JSON instead of Node's
 * answers without a body. CONNECT, which Node would not answer at all, is refused too.
 */
export function refuseInJson(server: Server): void {
  server.on('clientError', (error, socket) => refuse(socket, refusalOf(error)));
  server.on('connect', (_, socket) => refuse(socket, problem(405, 'CONNECT is not allowed here')));
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
  // An answer that has begun must not continue as another one, nor may one request get two; the rest of a broken request is broken too.
  if (!socket.writable || isAnswering(socket) || isInAnsweredBody(socket)) return void socket.destroy();
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
