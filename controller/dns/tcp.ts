import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { MAX_QUERY } from './query.ts';
import { clientOf } from './rate-limit.ts';
import type { DnsMeter, Responder } from './responder.ts';
import type { Listener } from './udp.ts';

export interface TcpLimits {
  /** Time limit for a query, from the start of the connection or from the previous query. */
  readonly idleMs: number;
  /** Maximum number of connections. Beyond it, the client with the most loses its longest idle one. */
  readonly connections: number;
  /** Maximum number of connections of one client. Beyond it, the client loses its longest idle one. */
  readonly perClient: number;
}

export const TCP_LIMITS: TcpLimits = { idleMs: 10_000, connections: 256, perClient: 32 };

/** Length of the prefix of each message, which holds the message's length (RFC 1035, section 4.2.2). */
const PREFIX = 2;

/** Serves DNS over TCP, with any number of queries per connection. Rejects with the system's error if the address cannot be bound. */
export async function openTcp(
  address: string,
  port: number,
  responder: Pick<Responder, 'tcp'>,
  meter: DnsMeter,
  limits: TcpLimits = TCP_LIMITS,
): Promise<Listener> {
  const connections = new Connections();
  const server = createServer({ noDelay: true }, (socket) => {
    const client = clientOf(socket.remoteAddress ?? '');
    if (connections.countOf(client) >= limits.perClient) connections.end(client);
    else if (connections.size >= limits.connections) connections.end(connections.clientWithMost());
    connections.add(client, socket);
    socket.once('close', () => connections.delete(client, socket));
    serve(socket, responder, meter, limits.idleMs, () => connections.add(client, socket));
  });
  await listen(server, address, port);
  // Too many open files: accepting resumes once there is room again.
  server.on('error', () => meter.dropped('failed'));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.endAll();
      return closed;
    },
  };
}

/** Connections by client, each client's longest idle one first. */
class Connections {
  readonly #clients = new Map<string, Set<Socket>>();
  size = 0;

  countOf(client: string): number {
    return this.#clients.get(client)?.size ?? 0;
  }

  /** Adds a connection, or moves it to the end. */
  add(client: string, socket: Socket): void {
    this.delete(client, socket);
    if (socket.destroyed) return;
    this.#clients.set(client, (this.#clients.get(client) ?? new Set()).add(socket));
    this.size += 1;
  }

  delete(client: string, socket: Socket): void {
    const sockets = this.#clients.get(client);
    if (sockets?.delete(socket) !== true) return;
    this.size -= 1;
    if (sockets.size === 0) this.#clients.delete(client);
  }

  /** The client with the most connections; the first of equals. */
  clientWithMost(): string {
    let most = '';
    for (const [client, { size }] of this.#clients) if (size > this.countOf(most)) most = client;
    return most;
  }

  /** Closes this client's longest idle connection. */
  end(client: string): void {
    const [oldest] = this.#clients.get(client) ?? [];
    if (oldest === undefined) return;
    this.delete(client, oldest);
    oldest.destroy();
  }

  endAll(): void {
    for (const sockets of this.#clients.values()) for (const socket of sockets) socket.destroy();
  }
}

/** Answers queries until the client disconnects, sends something else, or takes too long. */
function serve(
  socket: Socket,
  responder: Pick<Responder, 'tcp'>,
  meter: DnsMeter,
  idleMs: number,
  answered: () => void,
): void {
  let received: Buffer = Buffer.alloc(0);
  // Not the socket's own timeout, which a client could reset with a byte now and then, or by never reading.
  const timeout = setTimeout(() => {
    if (received.length > 0 || socket.writableLength > 0) meter.dropped('slow');
    socket.destroy();
  }, idleMs);

  function takeQueries(): void {
    let at = 0;
    while (received.length - at >= PREFIX) {
      const length = received.readUInt16BE(at);
      const end = at + PREFIX + length;
      if (length > MAX_QUERY) {
        socket.destroy();
        return;
      }
      if (received.length < end) break;
      const reply = responder.tcp(received.subarray(at + PREFIX, end));
      if (reply === null) {
        socket.destroy();
        return;
      }
      socket.write(framed(reply));
      timeout.refresh();
      answered();
      at = end;
    }
    received = received.subarray(at);
  }

  socket.on('error', () => {
    // The client is gone; 'close' follows.
  });
  socket.once('close', () => clearTimeout(timeout));
  socket.on('drain', () => socket.resume());
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    socket.cork();
    takeQueries();
    socket.uncork();
    // A client that does not read its replies gets no more until it does.
    if (socket.writableNeedDrain) socket.pause();
  });
}

function framed(reply: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX + reply.length);
  bytes.writeUInt16BE(reply.length, 0);
  reply.copy(bytes, PREFIX);
  return bytes;
}

function listen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, ipv6Only: isIPv6(address), exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}
