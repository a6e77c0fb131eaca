/** Requests that are answered before their body has come. */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The rest of a shorter body is read and dropped, and the connection stays open. */
const MAX_DRAINED_BYTES = 65_536;
/** How long a refused client may go on sending, so that it reads the answer before its connection is reset. */
const LINGER_MS = 1_000;

/** The request that each connection was last answered. */
const answered = new WeakMap<Duplex, IncomingMessage>();

/** Whether what comes on the connection is still the body of a request that was answered already. */
export function isInAnsweredBody(socket: Duplex): boolean {
  return answered.get(socket)?.complete === false;
}

/**
 * Prepares the connection of a request, perhaps before its body has come, for the answer. Returns whether so much of the body
 * is still to come that reading it in vain costs more than a new connection: then the answer must have `Connection: close`, and
 * its client can read it before the connection is reset.
 *
 * `socket`: where the request came from, which it does not know itself once it was destroyed.
 */
export function prepareAnswer(request: IncomingMessage, socket: Socket): boolean {
  answered.set(socket, request);
  const isLong = hasLongUnreadBody(request);
  if (isLong) lingerAfterAnswer(request, socket);
  return isLong;
}

function hasLongUnreadBody({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return (
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > MAX_DRAINED_BYTES
  );
}

/** Closing the connection while the body comes in would reset it, and the client would lose the answer. */
function lingerAfterAnswer(request: IncomingMessage, socket: Socket): void {
  // Node calls this once the answer is sent, and goes on reading unless the body has been read in part.
  socket.destroySoon = () => {
    socket.end();
    request.resume();
    const limit = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(limit));
  };
}
