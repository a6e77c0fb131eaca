/**
 * UDP queries: each has an id, and one answer with that id is expected. As every client of a datagram service does, one
 * that has no answer in time asks once more, and that is counted: a query that is on its way at the instant in which
 * its backend is taken out loses the answer, since the kernel then forgets how to translate it back.
 */

import { createSocket, type Socket } from 'node:dgram';
import type { Counter } from './figures.ts';

/** Clients that send all their queries from one port; as many queries again come from a port of their own each. */
const LASTING_SOCKETS = 4;
const AGAIN_MS = 2_000;
const LIMIT_MS = 7_000;
/**
 * What passes at most between two looks at what is late: a lab that stands still for seconds, as one does whose
 * processor others want, loses no answers.
 */
const LOOK_MS = 100;

interface Pending {
  readonly socket: Socket;
  waitedMs: number;
  again: boolean;
  readonly answered: (answer: Answer) => void;
}

interface Answer {
  /** null: none came. */
  readonly text: string | null;
  readonly again: boolean;
}

export interface Target {
  readonly address: string;
  readonly port: number;
}

export class Queries {
  readonly #pending = new Map<string, Pending>();
  readonly #lasting: Promise<Socket>[];
  readonly #target: Target;
  readonly #counter: Counter;
  readonly #looking: NodeJS.Timeout;
  #sent = 0;

  constructor(target: Target, counter: Counter) {
    this.#target = target;
    this.#counter = counter;
    this.#lasting = Array.from({ length: LASTING_SOCKETS }, () => this.#connected(target));
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
  }

  /** One query of the load. */
  async send(): Promise<void> {
    const number = this.#sent++;
    const lasting = number % 2 === 0 ? this.#lasting[(number / 2) % LASTING_SOCKETS] : undefined;
    const socket = await (lasting ?? this.#connected(this.#target));
    const startedAt = performance.now();
    const port = socket.address().port;
    const { text, again } = await this.#ask(socket);
    const ms = performance.now() - startedAt;
    if (text === null) this.#counter.failed('UDP', ms, `no answer, port ${port}, query ${number}`);
    else this.#counter.succeeded('UDP', ms, again);
    if (lasting === undefined) socket.close();
  }

  /** One query besides the load, from a port that stays open; null without an answer. */
  async query(target: Target): Promise<string | null> {
    return (await this.#ask(await this.#connected(target))).text;
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    for (const socket of await Promise.all(this.#lasting)) socket.close();
  }

  #ask(socket: Socket): Promise<Answer> {
    const id = `${process.pid}.${this.#sent}.${Math.random()}`;
    return new Promise((answered) => {
      this.#pending.set(id, { socket, waitedMs: 0, again: false, answered });
      socket.send(`${id}\n`);
    });
  }

  /** Connected, so that an answer from another address than the VIP is none. */
  #connected({ address, port }: Target): Promise<Socket> {
    const socket = createSocket('udp4');
    socket.on('message', (message) => {
      const [id = '', ...rest] = message.toString().trim().split(' ');
      this.#answer(id, rest.join(' '));
    });
    // Port unreachable: the query stays without an answer, and counts as that in time.
    socket.on('error', () => {});
    return new Promise((resolve) => socket.connect(port, address, () => resolve(socket)));
  }

  #answer(id: string, text: string | null): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.answered({ text, again: pending.again });
  }

  #look(): void {
    for (const [id, pending] of this.#pending) {
      pending.waitedMs += LOOK_MS;
      if (pending.waitedMs > LIMIT_MS) this.#answer(id, null);
      else if (pending.waitedMs > AGAIN_MS && !pending.again) {
        pending.again = true;
        pending.socket.send(`${id}\n`);
      }
    }
  }
}
