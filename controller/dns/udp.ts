import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DnsMeter, Responder } from './responder.ts';

/** Absorbs a burst of queries while the process is busy; the kernel may grant less. */
const RECEIVE_BUFFER = 1_048_576;

/** A bound address. */
export interface Listener {
  /** The port, which the system assigned if 0 was requested. */
  readonly port: number;
  /** Resolves once it is closed. */
  close(): Promise<void>;
}

/** Serves DNS over UDP. Rejects with the system's error if the address cannot be bound. */
export async function openUdp(
  address: string,
  port: number,
  responder: Pick<Responder, 'udp'>,
  meter: DnsMeter,
): Promise<Listener> {
  const ipv6 = isIPv6(address);
  const socket = createSocket({
    type: ipv6 ? 'udp6' : 'udp4',
    ipv6Only: ipv6,
    recvBufferSize: RECEIVE_BUFFER,
    // Destinations are always addresses: a lookup would only delay the reply.
    lookup: (host, _options, found) => found(null, host, ipv6 ? 6 : 4),
  });
  await bind(socket, address, port);
  // A reply that cannot be sent (firewall rule, no route back) must not end the socket.
  socket.on('error', () => meter.dropped('failed'));
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const reply = responder.udp(message, from.address);
    if (reply === null) return;
    if (from.port === 0) meter.dropped('failed');
    else socket.send(reply, from.port, from.address);
  });
  return {
    port: socket.address().port,
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
}
