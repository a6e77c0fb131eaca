/** Acts as a client: queries name servers and opens connections. */

import type { ConnectionAttempt, NameAnswer } from '../facts.ts';

export interface Attempts {
  readonly queries: readonly { readonly server: string; readonly name: string; readonly family: 4 | 6 }[];
  /** Opened all at once, and closed together when each has succeeded or failed. */
  readonly connections: readonly { readonly address: string; readonly port: number }[];
  readonly waitMs: number;
}

export interface AttemptResults {
  readonly names: readonly NameAnswer[];
  readonly connections: readonly ConnectionAttempt[];
}

/**
 * Sends the queries and opens the connections in the network namespace of this process. Never rejects.
 *
 * Must use nothing from outside itself: its source text also runs in another process, in the namespace of a container.
 */
export async function attempt({ queries, connections, waitMs }: Attempts): Promise<AttemptResults> {
  const { Resolver } = process.getBuiltinModule('node:dns').promises;
  const { connect } = process.getBuiltinModule('node:net');
  const codeOf = (error: unknown): string =>
    error instanceof Error && 'code' in error ? String(error.code) : String(error);

  const answers = queries.map(async ({ server, name, family }) => {
    const resolver = new Resolver({ timeout: waitMs, tries: 1 });
    const timeout = setTimeout(() => resolver.cancel(), 2 * waitMs);
    try {
      resolver.setServers([server]);
      const addresses = family === 4 ? await resolver.resolve4(name) : await resolver.resolve6(name);
      return { server, addresses, error: null };
    } catch (error) {
      return { server, addresses: [], error: codeOf(error) };
    } finally {
      clearTimeout(timeout);
    }
  });

  const opened = connections.map(({ address, port }) => {
    const socket = connect(port, address);
    let localPort: number | null = null;
    // Node connects on the next tick; only then does the system assign the port.
    process.nextTick(() => {
      localPort = socket.localPort ?? null;
    });
    const outcome = new Promise<string>((resolve) => {
      // After a stall of this process the timer comes before the events of the sockets, but those before an immediate.
      const timeout = setTimeout(() => setImmediate(resolve, 'timeout'), waitMs);
      const end = (result: string) => {
        clearTimeout(timeout);
        resolve(result);
      };
      socket.once('connect', () => end('connected'));
      socket.on('error', (error) => end(codeOf(error)));
    });
    return { socket, outcome: outcome.then((result) => ({ address, port, outcome: result, localPort })) };
  });
  const attempts = await Promise.all(opened.map(({ outcome }) => outcome));
  for (const { socket } of opened) socket.destroy();
  return { names: await Promise.all(answers), connections: attempts };
}
