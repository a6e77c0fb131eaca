import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DnsMeter, Responder } from './responder.ts';

/** Holds the burst that comes in while the process does something else; the kernel gives as much of it as it allows. */
const RECEIVE_BUFFER = 1_048_576;

/** An address that is answered on. */
export interface Listener {
  /** The port, which was found where 0 was asked for. */
  readonly port: number;
  /** Resolves once nothing is answered any more. */
  close(): Promise<void>;
}

/** Answers datagrams. Rejects with the system's error when the address cannot be used. */
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
    // Replies go to addresses; looking each up would put it off.
    lookup: (host, _options, found) => found(null, host, ipv6 ? 6 : 4),
  });
  await bind(socket, address, port);
  // What cannot be sent: to port 0, against a firewall's rule, without a route back. None of it ends the socket.
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
