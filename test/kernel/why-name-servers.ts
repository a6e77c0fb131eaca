/** Name servers that know the names of VIPs, or fail in the ways in which real ones do; each at an address of its own. */

import { createSocket, type Socket } from 'node:dgram';
import dnsPacket from 'dns-packet';

export const SERVERS = {
  knowing: '127.0.0.53',
  ignorant: '127.0.0.54',
  failing: '127.0.0.55',
  wrong: '127.0.0.56',
  silent: '127.0.0.57',
  /** Nobody listens. */
  absent: '127.0.0.58',
} as const;

/** RFC 1035, section 4.1.1. */
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

export class NameServers {
  readonly #sockets: readonly Socket[];

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  static async start(addresses: ReadonlyMap<string, string>): Promise<NameServers> {
    const answers: Partial<Record<keyof typeof SERVERS, (name: string) => Answer | null>> = {
      knowing: (name) => addresses.get(name) ?? NO_SUCH_NAME,
      ignorant: () => NO_SUCH_NAME,
      failing: () => SERVER_FAILURE,
      wrong: () => '11.9.9.9',
      silent: () => null,
    };
    const started = Object.entries(answers).map(async ([who, answer]) => {
      const socket = createSocket('udp4');
      socket.on('message', (message, { address, port }) => {
        const { id, questions = [] } = dnsPacket.decode(message);
        const [{ name } = { name: '' }] = questions;
        const found = answer(name.toLowerCase());
        if (found === null) return;
        const known = typeof found === 'string';
        const reply = {
          ...({ type: 'response', id, questions } as const),
          flags: dnsPacket.AUTHORITATIVE_ANSWER | (known ? 0 : found),
          answers: known ? [{ type: 'A', name, ttl: 5, data: found } as const] : [],
        };
        socket.send(dnsPacket.encode(reply), port, address);
      });
      await new Promise<void>((resolve) => socket.bind(53, SERVERS[who as keyof typeof SERVERS], resolve));
      return socket;
    });
    return new NameServers(await Promise.all(started));
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

/** An address, or the code of a failure. */
type Answer = string | number;
