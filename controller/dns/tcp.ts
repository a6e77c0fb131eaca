import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { LONGEST_QUERY } from './query.ts';
import { clientOf } from './rate-limit.ts';
import type { DnsMeter, Responder } from './responder.ts';
import type { Listener } from './udp.ts';

export interface TcpLimits {
  /** How long a connection may take for a query, from its start or from the query before. */
  readonly idleMs: number;
  /** At one more, the client with the most loses the one that has been idle longest. */
  readonly connections: number;
  /** The same for the connections of one client. */
  readonly perClient: number;
}

export const TCP_LIMITS: TcpLimits = { idleMs: 10_000, connections: 256, perClient: 32 };

/** A length of two bytes stands before each message (RFC 1035, section 4.2.2). */
const PREFIX = 2;

/** Answers over connections, several queries on each if the client likes. Rejects with the system's error when the address cannot be used. */
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
    converse(socket, responder, meter, limits.idleMs, () => connections.add(client, socket));
  });
  await listen(server, address, port);
  // Too many open files: the next client is accepted once there is room again.
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

/** Connections by client; of each client the one whose last query is longest ago comes first. */
class Connections {
  readonly #clients = new Map<string, Set<Socket>>();
  size = 0;

  countOf(client: string): number {
    return this.#clients.get(client)?.size ?? 0;
  }

  /** Adds one, or puts it last, where it is known already. */
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

  /** Of equals the one that came first. */
  clientWithMost(): string {
    let most = '';
    for (const [client, { size }] of this.#clients) if (size > this.countOf(most)) most = client;
    return most;
  }

  /** Ends the connection of this client that has been idle longest. */
  end(client: string): void {
    const [idlest] = this.#clients.get(client) ?? [];
    if (idlest === undefined) return;
    this.delete(client, idlest);
    idlest.destroy();
  }

  endAll(): void {
    for (const sockets of this.#clients.values()) for (const socket of sockets) socket.destroy();
  }
}

/** Answers query after query until the client leaves, sends what is none, or takes too long for one. */
function converse(
  socket: Socket,
  responder: Pick<Responder, 'tcp'>,
  meter: DnsMeter,
  idleMs: number,
  answered: () => void,
): void {
  let received: Buffer = Buffer.alloc(0);
  // Not the socket's own: a byte now and then would keep it from running out, and so would a client that never reads.
  const patience = setTimeout(() => {
    if (received.length > 0 || socket.writableLength > 0) meter.dropped('slow');
    socket.destroy();
  }, idleMs);

  function takeQueries(): void {
    let at = 0;
    while (received.length - at >= PREFIX) {
      const length = received.readUInt16BE(at);
      const end = at + PREFIX + length;
      if (length > LONGEST_QUERY) {
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
      patience.refresh();
      answered();
      at = end;
    }
    received = received.subarray(at);
  }

  socket.on('error', () => {
    // The client has gone; 'close' comes next.
  });
  socket.once('close', () => clearTimeout(patience));
  socket.on('drain', () => socket.resume());
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    socket.cork();
    takeQueries();
    socket.uncork();
    // Whoever asks and does not read gets no more answers until he does.
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
