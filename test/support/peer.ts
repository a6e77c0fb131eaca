/** Programs in network namespaces that serve and ask: one process each, since starting one is slow in the lab. */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** On TCP (HTTP) and UDP (DNS). The address is one of its own: a reply must have it as its source. */
export interface Serving {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface Question {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** Source port; any by default. */
  readonly localPort?: number;
  /** Defaults to twenty seconds. */
  readonly timeoutMs?: number;
  /** TCP: how long the server takes to answer. At once by default. */
  readonly waitMs?: number;
}

export interface Answer {
  /** Who answered. */
  readonly backend: string;
  /** The source address and port that it saw. */
  readonly client: string;
  readonly clientPort: number;
}

/** `ECONNREFUSED`, `no answer`, …, and after how many milliseconds. */
export interface Failure {
  readonly error: string;
  readonly ms: number;
}

export type PeerRequest = { readonly id: number } & (
  | { readonly serve: Serving }
  | { readonly ask: Question }
);

export interface PeerReply {
  readonly id: number;
  readonly result?: Answer | Failure | undefined;
}

const MAIN = join(import.meta.dirname, 'peer-main.ts');

/** A process in one namespace. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: PeerReply | null) => void>();
  #requests = 0;

  /** In the namespace of that name; without one, where this runs. */
  constructor(namespace?: string) {
    const inside = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
    const [file = '', ...args] = [
      ...inside,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--conditions=ipvs-source',
      MAIN,
    ];
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.#child.stdout) {
      createInterface(this.#child.stdout).on('line', (line) => {
        const reply: PeerReply = JSON.parse(line);
        this.#waiting.get(reply.id)?.(reply);
      });
    }
    this.#child.once('close', () => {
      for (const settle of this.#waiting.values()) settle(null);
    });
  }

  /** Resolves once it listens; rejects where it cannot. */
  async serve(serving: Serving): Promise<void> {
    const { result } = await this.#request({ serve: serving });
    if (result !== undefined && 'error' in result) {
      throw new Error(`${serving.name} at ${serving.address} port ${serving.port}: ${result.error}`);
    }
  }

  /** What came: never a rejection because of what the network does. */
  async ask(question: Question): Promise<Answer | Failure> {
    const { result } = await this.#request({ ask: question });
    return result ?? { error: 'no result', ms: 0 };
  }

  /** Asks one after the other. */
  async askAll(questions: readonly Question[]): Promise<readonly (Answer | Failure)[]> {
    const results: (Answer | Failure)[] = [];
    for (const question of questions) results.push(await this.ask(question));
    return results;
  }

  /** It ends by itself then: only so does Node keep what it has compiled, which makes the next start a fast one. */
  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    await closed;
  }

  async #request(what: { readonly serve: Serving } | { readonly ask: Question }): Promise<PeerReply> {
    this.#requests += 1;
    const id = this.#requests;
    const reply = await new Promise<PeerReply | null>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, ...what })}\n`);
    });
    this.#waiting.delete(id);
    if (reply === null) throw new Error('the process in the namespace has ended');
    return reply;
  }
}
