import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Browsers and common clients do not pipeline at all; a connection with more requests waiting is closed. */
const MAX_WAITING = 16;

/**
 * Handles the requests of a connection one after another, each once the answer to the one before has been sent.
 *
 * Node hands over every request that it has read. One packet holds more than a thousand of them, which would all be
 * answered at once, into memory, while the client reads nothing.
 */
export function inTurn(listener: RequestListener): RequestListener {
  const queues = new WeakMap<Socket, [IncomingMessage, ServerResponse][]>();

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    listener(request, response);
    response.once('close', () => {
      const next = queues.get(socket)?.shift();
      if (next === undefined || socket.destroyed) queues.delete(socket);
      else handle(...next);
    });
  }

  return (request, response) => {
    const { socket } = request;
    // What follows a request after which the connection is closed.
    if (socket.destroyed || socket.writableEnded) return;
    const queue = queues.get(socket);
    if (queue === undefined) {
      queues.set(socket, []);
      handle(request, response);
    } else if (queue.length < MAX_WAITING) queue.push([request, response]);
    else socket.destroy();
  };
}
