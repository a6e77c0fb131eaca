/**
 * A small API server for tests: it keeps the protocol of the real one as far as this project uses it, and fails in
 * the ways in which that one fails. Never for production.
 */

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { stringify } from 'yaml';
import type { Tokens } from './access.ts';
import { Faults } from './faults.ts';
import { Operations } from './operations.ts';
import { createListener, type Logged } from './server.ts';
import { Watches } from './watching.ts';

export interface KubernetesOptions {
  /** Without it nobody is asked who they are. */
  readonly tokens?: Tokens;
  /** Serve https with this key and certificate, HTTP/2 first as the real server does. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Defaults to 60 s, as the real server has it. */
  readonly bookmarkMs?: number;
  /** For how long a new kind answers 429. Defaults to 0; about 1 s on the real server. */
  readonly initialisingMs?: number;
}

export interface TestKubernetes {
  readonly url: string;
  readonly faults: Faults;
  readonly requests: readonly Logged[];
  readonly operations: Operations;
  readonly watchCount: number;
  forgetRequests(): void;
  /** Writes a kubeconfig file for it; returns its text too. */
  writeKubeconfig(path: string, token?: string): void;
  /** Ends all watches as a server does whose time for them is up, or breaks their connections. */
  endWatches(how: 'end' | 'cut'): void;
  /** Goes away for `ms` and comes back on the same port. `forget`: with an empty cache, so that watches must list anew. */
  restart(ms: number, forget: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startKubernetes(options: KubernetesOptions = {}): Promise<TestKubernetes> {
  const operations = new Operations(options.initialisingMs ?? 0);
  const faults = new Faults();
  const watches = new Watches(operations, faults, options.bookmarkMs ?? 60_000);
  const log: Logged[] = [];
  const listener = createListener({ operations, watches, faults, tokens: options.tokens ?? null, log });
  const { tls } = options;

  let running = await listen(0);
  const { port } = running.server.address() as AddressInfo;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;

  return {
    url,
    faults,
    operations,
    requests: log,
    get watchCount() {
      return watches.count;
    },
    forgetRequests: () => log.splice(0),
    writeKubeconfig: (path, token) => writeFileSync(path, kubeconfig(url, token, tls?.cert)),
    endWatches: (how) => (how === 'end' ? watches.endAll() : watches.cutAll()),
    async restart(ms, forget) {
      await running.close();
      if (forget) operations.storage.compact();
      await new Promise((resolve) => setTimeout(resolve, ms));
      running = await listen(port);
    },
    close: () => running.close(),
  };

  async function listen(at: number) {
    const server: Server = tls
      ? // biome-ignore lint/suspicious/noExplicitAny: the compatibility API of http2 is http's, but not in its types
        (createSecureServer({ ...tls, allowHTTP1: true }, listener as any) as unknown as Server)
      : createServer((request, response) => void listener(request, response));
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, '127.0.0.1', resolve);
    });
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    return { server, close };
  }
}

/** What `kubectl config view` shows of it. */
function kubeconfig(server: string, token: string | undefined, ca: string | undefined): string {
  const trust =
    ca === undefined
      ? { 'insecure-skip-tls-verify': true }
      : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'stand-in', cluster: { server, ...trust } }],
    users: [{ name: 'tester', user: token === undefined ? {} : { token } }],
    contexts: [{ name: 'test', context: { cluster: 'stand-in', user: 'tester' } }],
    'current-context': 'test',
  });
}
