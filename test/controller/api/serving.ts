/** The real server on a free port, and clients for it. */

import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import type { AccessFiles } from '../../../controller/api/access/files.ts';
import type { Reloadable } from '../../../controller/api/access/reloadable.ts';
import { type HttpOptions, type HttpServer, startHttp } from '../../../controller/api/http.ts';
import { createMetrics } from '../../../controller/metrics/metrics.ts';
import {
  createStatusBoard,
  type StatusBoard,
  type StatusBoardOptions,
} from '../../../controller/status/board.ts';
import { World } from '../../support/world.ts';
import { passOf } from '../status/passes.ts';

const SOURCE = 'file=apps.json';

/** Keys and tokens as a test has them, without files. */
export function accessOf(over: Partial<AccessFiles>): AccessFiles {
  return {
    identity: null,
    clientCertificates: false,
    clientNames: null,
    readToken: null,
    writeToken: null,
    warnings: () => [],
    close: () => undefined,
    ...over,
  };
}

/** What a test has instead of files, and `renew` replaces. */
export function renewedOf<Value>(value: Value): Reloadable<Value> & { renew(next: Value): void } {
  let current = value;
  const listeners: ((value: Value) => void)[] = [];
  return {
    current: () => current,
    warning: () => null,
    reload: async () => undefined,
    onReload: (listener) => {
      listeners.push(listener);
    },
    renew(next) {
      current = next;
      for (const listener of listeners) listener(next);
    },
  };
}

export const tokenOf = renewedOf<string>;

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class Serving {
  readonly world: World;
  readonly board: StatusBoard;
  readonly #server: HttpServer;

  private constructor(world: World, board: StatusBoard, server: HttpServer) {
    this.world = world;
    this.board = board;
    this.#server = server;
  }

  /** `namespaces`: how VIPs are kept in other network namespaces, where there are any. */
  static async start(
    over: Partial<HttpOptions> = {},
    { namespaces }: Pick<StatusBoardOptions, 'namespaces'> = {},
  ): Promise<Serving> {
    const world = new World();
    const { clock, log } = world;
    const options = { sources: [SOURCE], dryRun: false, clock, namespaces };
    const board = createStatusBoard(options);
    const metrics = createMetrics(options, { access: over.access });
    const listen = { address: '127.0.0.1', port: 0 };
    const server = await startHttp({ listen, status: board.current, metrics, log, clock, ...over });
    return new Serving(world, board, server);
  }

  get url(): string {
    return this.#server.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  /** The source was read, and a pass made of it. */
  converge(pass = passOf({})): void {
    const { now } = this.world;
    this.board.sourceRead(SOURCE, { apps: 1, complete: true, fromDiskOf: null });
    this.board.passed({ ...pass, startedAt: now, finishedAt: now });
  }

  async get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
    const { hostname, port } = new URL(this.url);
    const at = { hostname: hostname.replace(/[[\]]/g, ''), port };
    const asking = request({ ...at, path, headers, method, agent: false });
    asking.end();
    const [response] = await once(asking, 'response');
    return { status: response.statusCode, headers: response.headers, body: await readAll(response) };
  }

  /** A connection; the server may close it while something is still being sent. */
  opened(): Socket {
    const socket = connect(this.port, '127.0.0.1');
    socket.on('error', () => {});
    return socket;
  }

  /** Sends bytes as they are and gives back all that comes until the server closes. */
  async raw(bytes: string | Buffer): Promise<string> {
    const socket = this.opened();
    socket.end(bytes);
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    await once(socket, 'close');
    return received;
  }
}
