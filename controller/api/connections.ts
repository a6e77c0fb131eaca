import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { clientOf } from '../dns/rate-limit.ts';

export interface ConnectionLimits {
  /** Connections that have not sent a whole request: silent, half-sent, in a TLS handshake, or idle after an answer. */
  readonly waiting: number;
  /** Connections with a request that is being answered, streams among them. */
  readonly answering: number;
  /** How long a connection may be idle, in milliseconds. */
  readonly idleMs: number;
  /** How long making one answer may take, in milliseconds: longer than any route waits for a source. */
  readonly makingMs: number;
  /** How long sending one answer may take, in milliseconds; a stream has no such limit. */
  readonly writingMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  waiting: 512,
  answering: 128,
  idleMs: 30_000,
  makingMs: 70_000,
  writingMs: 60_000,
};

/** Against more than this within one turn of the event loop: what the kernel's own queue holds is accepted at once. */
const SLACK = 1_024;

export interface Connections {
  /** The head of an answer is about to be sent; `endless`: its body is a stream. */
  writes(response: ServerResponse, endless: boolean): void;
  /** The request of this connection is put off: until it is answered, newcomers may take its place. */
  putOff(request: IncomingMessage): void;
}

interface Connection {
  /** The TLS socket once there is one. */
  socket: Socket;
  readonly client: string;
  readonly number: number;
  /** Answers that are being made or sent. */
  answers: number;
  /** Whether all its answers are only waiting for the client to read them. */
  writing: boolean;
}

/**
 * Keeps room for newcomers on a server. Connections that have sent no whole request never take a place from those that
 * are being answered; where there are too many of them the client with the most loses its oldest. Where too many are
 * being answered, the one whose client has been reading the longest is ended; streams are not.
 *
 * Sockets are judged a turn after they were accepted, so that a request that came with its connection is read first.
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

  function waitNoMore(connection: Connection): void {
    const others = waiting.get(connection.client);
    if (others?.delete(connection) !== true) return;
    waitingCount -= 1;
    if (others.size === 0) waiting.delete(connection.client);
  }

  /** Of the client that has most of them, and of equals the one that waits longest, the one that waits longest. */
  function leastWorthy(): Connection | undefined {
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
    // One turn in which sockets are read lies between the two.
    setImmediate(() => setImmediate(trim));
  }

  function trim(): void {
    due = false;
    while (waitingCount > limits.waiting) {
      const worst = leastWorthy();
      if (worst === undefined) return;
      waitNoMore(worst);
      worst.socket.destroy();
    }
  }

  function begin(connection: Connection): void {
    waitNoMore(connection);
    answering.add(connection);
    connection.socket.setTimeout(limits.makingMs);
    if (answering.size <= limits.answering) return;
    const slowest = [...answering].find(({ writing }) => writing) ?? connection;
    answering.delete(slowest);
    slowest.socket.destroy();
  }

  function forget(key: string, connection: Connection): void {
    waitNoMore(connection);
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
    const connection = { socket, client, number: accepted, answers: 0, writing: false };
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
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(keyOf(request.socket) ?? '');
    if (connection === undefined) return;
    connection.answers += 1;
    connection.writing = false;
    if (hasBody(request)) request.once('end', () => response.closed || begin(connection));
    else begin(connection);
    response.once('close', () => {
      connection.answers -= 1;
      if (connection.answers > 0 || connection.socket.destroyed) return;
      connection.writing = false;
      wait(connection);
    });
  });

  return {
    writes(response, endless) {
      const { socket } = response;
      const connection = connections.get((socket && keyOf(socket)) ?? '');
      if (socket === null || connection === undefined) return;
      // A stream is written to all the time: one that takes nothing for so long is dead.
      if (endless) return void socket.setTimeout(limits.idleMs);
      connection.writing = true;
      socket.setTimeout(0);
      const limit = setTimeout(() => socket.destroy(), limits.writingMs);
      response.once('close', () => clearTimeout(limit));
    },
    putOff({ socket }) {
      const connection = connections.get(keyOf(socket) ?? '');
      if (connection !== undefined) wait(connection);
    },
  };
}

/** The other end of a connection, which a TCP socket and the TLS socket over it have in common; null when it is gone. */
function keyOf({ remoteAddress, remotePort }: Socket): string | null {
  return remoteAddress === undefined ? null : `${remoteAddress} ${remotePort}`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
