/** HTTP requests of a client that keeps its connections, or makes one for each request. */

import { Agent, get } from 'node:http';
import type { Counter, Kind } from './figures.ts';
import type { Target } from './queries.ts';

const LIMIT_MS = 10_000;
/** Each is asked in turn. */
const KEPT_CONNECTIONS = 5;

export class Requests {
  readonly #target: Target;
  readonly #counter: Counter;
  readonly #agents = connections(KEPT_CONNECTIONS);
  #asked = 0;

  constructor(target: Target, counter: Counter) {
    this.#target = target;
    this.#counter = counter;
  }

  /** A request by a new connection. */
  async fresh(): Promise<void> {
    await counted(this.#counter, 'new connections', ask(this.#target, false));
  }

  /** A request by a connection that stays open as long as the backend lets it. */
  async kept(): Promise<void> {
    await counted(
      this.#counter,
      'keep-alive',
      ask(this.#target, this.#agents[this.#asked++ % KEPT_CONNECTIONS]),
    );
  }
}

const ASK_HELD_EVERY_MS = 1_000;

interface HeldConnection {
  readonly agent: Agent;
  readonly target: Target;
  readonly asking: NodeJS.Timeout;
  /** Resolves when the request that is under way has ended; null: none is. */
  underWay: Promise<void> | null;
}

/** Connections that are held open, with a request on each every second; not one of them is made anew. */
export class Held {
  readonly #connections: HeldConnection[] = [];
  readonly #counter: Counter;

  constructor(counter: Counter) {
    this.#counter = counter;
  }

  /** Resolves with the answer on each, once all are open. */
  async open(target: Target, count: number): Promise<readonly string[]> {
    const agents = connections(count);
    return await Promise.all(
      agents.map(async (agent) => {
        const answer = await ask(target, agent);
        const asking = setInterval(() => this.#again(held), ASK_HELD_EVERY_MS);
        const held: HeldConnection = { agent, target, asking, underWay: null };
        this.#connections.push(held);
        return answer;
      }),
    );
  }

  /** Resets all that lead to this address, each once its last request has been answered. */
  async reset(address: string): Promise<void> {
    const leading = this.#connections.filter(({ target }) => target.address === address);
    await Promise.all(
      leading.map(async (held) => {
        clearInterval(held.asking);
        await held.underWay;
        for (const socket of Object.values(held.agent.freeSockets).flat()) socket?.resetAndDestroy();
        held.agent.destroy();
      }),
    );
  }

  #again(held: HeldConnection): void {
    if (held.underWay !== null) return;
    const { agent, target } = held;
    const lost = Object.values(agent.freeSockets).flat().length === 0;
    const request = lost ? Promise.reject(new Error('the connection has ended')) : ask(target, agent);
    held.underWay = counted(this.#counter, 'held', request).finally(() => {
      held.underWay = null;
    });
  }
}

function connections(count: number): readonly Agent[] {
  return Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
}

async function counted(counter: Counter, kind: Kind, request: Promise<string>): Promise<void> {
  const startedAt = performance.now();
  try {
    await request;
    counter.succeeded(kind, performance.now() - startedAt);
  } catch (error) {
    counter.failed(
      kind,
      performance.now() - startedAt,
      error instanceof Error ? error.message : String(error),
    );
  }
}

/** The body of a good answer. */
function ask({ address, port }: Target, agent: Agent | false | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, timeout: LIMIT_MS, ...(agent === undefined ? {} : { agent }) };
    const request = get(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.once('end', () => {
        if (response.statusCode === 200) resolve(body.trim());
        else reject(new Error(`status ${response.statusCode}`));
      });
      response.once('error', reject);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${LIMIT_MS / 1000} s`)));
    request.once('error', (error) => {
      reject(
        new Error(request.reusedSocket ? `${error.message} on a connection that was kept` : error.message),
      );
    });
  });
}
