/** The real server on free ports, and clients for it. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import type { ListenOption } from '../../../controller/config/values.ts';
import type { DnsMeter, DropReason } from '../../../controller/dns/responder.ts';
import { type DnsServer, startDns } from '../../../controller/dns/server.ts';
import type { Service } from '../../../controller/model/service.ts';
import { type Clock, systemClock } from '../../../controller/time.ts';
import { eventually } from '../../support/waiting.ts';
import { World } from '../../support/world.ts';
import { byKey, indexOf, SERIAL, SERVICES } from './asking.ts';

export class Meter implements DnsMeter {
  readonly answers: Parameters<DnsMeter['answered']>[0][] = [];
  readonly drops: DropReason[] = [];

  answered(answer: Parameters<DnsMeter['answered']>[0]): void {
    this.answers.push(answer);
  }

  dropped(reason: DropReason): void {
    this.drops.push(reason);
  }
}

export class Serving {
  readonly world = new World();
  readonly meter = new Meter();
  readonly server: DnsServer;
  readonly #index = indexOf();

  constructor(listen: readonly ListenOption[], clock: Clock = systemClock) {
    const { meter, world } = this;
    this.server = startDns({ listen, index: this.#index, meter, log: world.log, clock });
  }

  static async start(address = '127.0.0.1'): Promise<Serving> {
    const serving = new Serving([{ address, port: 0 }]);
    await until(() => serving.server.bound().length > 0);
    return serving;
  }

  /** Publishes these services in addition to the default ones. */
  serve(...services: readonly Service[]): void {
    this.#index.update(byKey([...SERVICES, ...services]), () => SERIAL + 1);
  }

  get port(): number {
    return Number(this.server.bound()[0]?.split(':').at(-1));
  }
}

export async function until(holds: () => boolean): Promise<void> {
  await eventually(holds, undefined, 10);
}

/** Sends datagrams from one socket and resolves with the replies that came within `waitMs`, or once there are `wanted`. */
export async function overUdp(
  messages: readonly Buffer[],
  {
    port,
    address = '127.0.0.1',
    wanted = messages.length,
    waitMs = 3_000,
  }: {
    readonly port: number;
    readonly address?: string;
    readonly wanted?: number;
    readonly waitMs?: number;
  },
): Promise<Buffer[]> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const replies: Buffer[] = [];
  try {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, waitMs).unref();
      socket.on('message', (reply: Buffer) => {
        replies.push(reply);
        if (replies.length === wanted) resolve();
      });
      for (const message of messages) socket.send(message, port, address);
    });
  } finally {
    socket.close();
  }
  return replies;
}

/** A connection that keeps what it receives. */
export class TcpClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => undefined);
  }

  static async connect(port: number, host = '127.0.0.1', localAddress?: string): Promise<TcpClient> {
    const socket = connect({ port, host, ...(localAddress !== undefined && { localAddress }) });
    const client = new TcpClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** The whole messages received so far. */
  messages(): Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at + 2 <= this.received.length; ) {
      const end = at + 2 + this.received.readUInt16BE(at);
      if (end > this.received.length) break;
      messages.push(this.received.subarray(at + 2, end));
      at = end;
    }
    return messages;
  }
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
