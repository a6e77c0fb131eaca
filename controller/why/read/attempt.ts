/** What a client does: it asks its name servers and opens connections. */

import type { NameAnswer, Tried } from '../facts.ts';

export interface Attempts {
  readonly questions: readonly { readonly server: string; readonly name: string; readonly family: 4 | 6 }[];
  /** Opened all at once, and closed together when all have been answered. */
  readonly connections: readonly { readonly address: string; readonly port: number }[];
  readonly waitMs: number;
}

export interface Answers {
  readonly names: readonly NameAnswer[];
  readonly connections: readonly Tried[];
}

/**
 * Asks and connects in the network namespace of this process. Never rejects.
 *
 * Its text is run by another process too, in the namespace of a container: it uses nothing from outside itself.
 */
export async function attempt({ questions, connections, waitMs }: Attempts): Promise<Answers> {
  const { Resolver } = process.getBuiltinModule('node:dns').promises;
  const { connect } = process.getBuiltinModule('node:net');
  const codeOf = (error: unknown): string =>
    error instanceof Error && 'code' in error ? String(error.code) : String(error);

  const asked = questions.map(async ({ server, name, family }) => {
    const resolver = new Resolver({ timeout: waitMs, tries: 1 });
    const impatient = setTimeout(() => resolver.cancel(), 2 * waitMs);
    try {
      resolver.setServers([server]);
      const addresses = family === 4 ? await resolver.resolve4(name) : await resolver.resolve6(name);
      return { server, addresses, error: null };
    } catch (error) {
      return { server, addresses: [], error: codeOf(error) };
    } finally {
      clearTimeout(impatient);
    }
  });

  const opened = connections.map(({ address, port }) => {
    const socket = connect(port, address);
    let localPort: number | null = null;
    // The system gives the port when it begins to connect, which Node does in the next turn.
    process.nextTick(() => {
      localPort = socket.localPort ?? null;
    });
    const outcome = new Promise<string>((resolve) => {
      const late = setTimeout(() => resolve('timeout'), waitMs);
      const end = (what: string) => {
        clearTimeout(late);
        resolve(what);
      };
      socket.once('connect', () => end('connected'));
      socket.on('error', (error) => end(codeOf(error)));
    });
    return { socket, outcome: outcome.then((what) => ({ address, port, outcome: what, localPort })) };
  });
  const answers = await Promise.all(opened.map(({ outcome }) => outcome));
  for (const { socket } of opened) socket.destroy();
  return { names: await Promise.all(asked), connections: answers };
}
