/**
 * Backends that tell who they are, and a client that counts them. Each line of JSON on stdin is answered with one on stdout.
 *
 *     zones-main.ts serve PORT ADDRESS…       {"stop": ["10.9.0.2"]}   these refuse connections from now on
 *     zones-main.ts connect ADDRESS PORT      {"take": true}           connections by who answered, since this was last asked
 *
 * Both end when stdin does.
 */

import { connect, createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';

export interface Taken {
  readonly answers: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

const RATE_PER_SECOND = 40;
const LIMIT_MS = 10_000;

const [, , role, ...rest] = process.argv;
const obey = role === 'serve' ? await serve(rest) : asking(rest);
for await (const line of createInterface(process.stdin))
  process.stdout.write(`${JSON.stringify(await obey(JSON.parse(line)))}\n`);
process.exit(0);

type Obey = (order: { readonly stop?: readonly string[] }) => unknown;

async function serve([port, ...addresses]: readonly string[]): Promise<Obey> {
  const servers = new Map<string, Server>();
  for (const address of addresses) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(`${address}\n`);
    });
    servers.set(address, server);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(Number(port), address, resolve);
    await promise;
  }
  return ({ stop = [] }) => {
    for (const address of stop) servers.get(address)?.close();
    return {};
  };
}

function asking([address = '', port]: readonly string[]): Obey {
  let answers: Record<string, number> = {};
  let failures: string[] = [];
  const one = () => {
    const socket = connect(Number(port), address);
    let text = '';
    socket.setEncoding('utf8').setTimeout(LIMIT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (error) => failures.push(error.message));
    socket.on('close', (hadError) => {
      if (!hadError) answers[text.trim()] = (answers[text.trim()] ?? 0) + 1;
    });
  };
  setInterval(one, 1_000 / RATE_PER_SECOND);
  return () => {
    const taken: Taken = { answers, failures };
    answers = {};
    failures = [];
    return taken;
  };
}
