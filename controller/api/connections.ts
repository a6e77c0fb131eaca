import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { clientOf } from '../dns/rate-limit.ts';

export interface ConnectionLimits {
  /** Connections without a complete request: silent, partly sent, in a TLS handshake, or idle after an answer. */
  readonly waiting: number;
  /** Connections whose request is being answered, including streams. */
  readonly answering: number;
  /** How long a connection may be idle, in milliseconds. */
  readonly idleMs: number;
  /** How long a handler may take, in milliseconds: longer than any route waits for a source. */
  readonly handlingMs: number;
  /** How long sending one answer may take, in milliseconds; a stream has no such limit. */
  readonly sendingMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  waiting: 512,
  answering: 128,
  idleMs: 30_000,
  handlingMs: 70_000,
  sendingMs: 60_000,
};

/** Room for the connections that one turn of the event loop accepts: all that wait in the kernel's queue. */
const SLACK = 1_024;

export interface Connections {
  /** Call before a request is handled, with at most one of a connection at a time. */
  handling(request: IncomingMessage, response: ServerResponse): void;
  /** Call before the headers of an answer are sent. */
  sending(response: ServerResponse, isStream: boolean): void;
  /** Call when the answer to a request is delayed: until it is sent, the connection counts as waiting. */
  delayed(request: IncomingMessage): void;
}

interface Connection {
  /** The TLS socket after the handshake. */
  socket: Socket;
  readonly client: string;
  readonly number: number;
  /** Whether all that is left is for the client to read its answers. */
  sending: boolean;
}

/**
 * Keeps room for new clients. Connections without a complete request never displace those being answered: if too many
 * wait, the client with the most loses its oldest one. If too many are being answered, the one whose client has been
 * reading for longest is closed; streams are not.
 *
 * A socket is judged one turn after it was accepted, so that a request that arrived with it is read first.
 */
export function limitConnections(server: Server, limits: ConnectionLimits = CONNECTION_LIMITS): Connections {
  const connections = new Map<string, Connection>();
  const waiting = new Map<string, Set<Connection>>();
  const answering = new Set<Connection>();
  let waitingCount = 0;
  let accepted = 0;
  let due = false;

  function wait(connection: Connection): void {
    answering.delete(connection);
    const others = waiting.get(connection.client) ?? new Set();
    if (others.has(connection)) return;
    waiting.set(connection.client, others.add(connection));
    waitingCount += 1;
    trimSoon();
  }

  function stopWaiting(connection: Connection): void {
    const others = waiting.get(connection.client);
    if (others?.delete(connection) !== true) return;
    waitingCount -= 1;
    if (others.size === 0) waiting.delete(connection.client);
  }

  /** The oldest waiting connection of the client that has most of them; among equal clients the oldest overall. */
  function firstToClose(): Connection | undefined {
    let most = 0;
    let found: Connection | undefined;
    for (const others of waiting.values()) {
      const [oldest] = others;
      const worse = others.size === most && (oldest?.number ?? 0) < (found?.number ?? 0);
      if (others.size > most || worse) {
        most = others.size;
        found = oldest;
      }
    }
    return found;
  }

  function trimSoon(): void {
    if (due || waitingCount <= limits.waiting) return;
    due = true;
    // Twice, so that sockets are read in between.
    setImmediate(() => setImmediate(trim));
  }

  function trim(): void {
    due = false;
    while (waitingCount > limits.waiting) {
      const connection = firstToClose();
      if (connection === undefined) return;
      stopWaiting(connection);
      connection.socket.destroy();
    }
  }

  function begin(connection: Connection): void {
    stopWaiting(connection);
    answering.add(connection);
    connection.socket.setTimeout(limits.handlingMs);
    if (answering.size <= limits.answering) return;
    const slowest = [...answering].find(({ sending }) => sending) ?? connection;
    answering.delete(slowest);
    slowest.socket.destroy();
  }

  function forget(key: string, connection: Connection): void {
    stopWaiting(connection);
    answering.delete(connection);
    if (connections.get(key) === connection) connections.delete(key);
  }

  server.maxConnections = limits.waiting + limits.answering + SLACK;
  server.setTimeout(limits.idleMs);
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    if (key === null) return;
    accepted += 1;
    const client = clientOf(socket.remoteAddress ?? '');
    const connection = { socket, client, number: accepted, sending: false };
    connections.set(key, connection);
    wait(connection);
    socket.once('close', () => forget(key, connection));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const key = keyOf(socket) ?? '';
    const connection = connections.get(key);
    if (connection === undefined) return;
    connection.socket = socket;
    socket.once('close', () => forget(key, connection));
  });
  return {
    handling(request, response) {
      const connection = connections.get(keyOf(request.socket) ?? '');
      if (connection === undefined) return;
      connection.sending = false;
      if (hasBody(request)) request.once('end', () => response.closed || begin(connection));
      else begin(connection);
      response.once('close', () => {
        connection.sending = false;
        if (!connection.socket.destroyed) wait(connection);
      });
    },
    sending(response, isStream) {
      const { socket } = response;
      const connection = connections.get((socket && keyOf(socket)) ?? '');
      if (socket === null || connection === undefined) return;
      // A stream is written to all the time: a client that takes nothing for this long is gone.
      if (isStream) return void socket.setTimeout(limits.idleMs);
      connection.sending = true;
      socket.setTimeout(0);
      const limit = setTimeout(() => socket.destroy(), limits.sendingMs);
      response.once('close', () => clearTimeout(limit));
    },
    delayed({ socket }) {
      const connection = connections.get(keyOf(socket) ?? '');
      if (connection !== undefined) wait(connection);
    },
  };
}

/** The client's address and port, the same for a TCP socket and the TLS socket over it; null once it has disconnected. */
function keyOf({ remoteAddress, remotePort }: Socket): string | null {
  return remoteAddress === undefined ? null : `${remoteAddress} ${remotePort}`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
