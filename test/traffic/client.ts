/** The client of a traffic test: a process in a container's namespace that asks all the time and counts. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Load, Order } from './client-main.ts';
import type { FiguresByKind } from './figures.ts';
import type { Target } from './queries.ts';

export interface Client {
  /** What was counted since it was last taken. */
  look(): Promise<FiguresByKind>;
  /** The same, and counts from nothing again. */
  take(): Promise<FiguresByKind>;
  /** Opens connections and holds them, a request on each every second; resolves with the first answers. */
  hold(target: Target, count: number): Promise<readonly string[]>;
  /** Resets the connections that are held to this address. */
  reset(address: string): Promise<void>;
  /** The answer to one UDP query besides the load; null without one. */
  query(target: Target): Promise<string | null>;
  stop(): Promise<void>;
}

/** Starts asking; resolves once it does. */
export async function startClient(namespace: string, load: Load): Promise<Client> {
  const script = join(import.meta.dirname, 'client-main.ts');
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, script, JSON.stringify(load)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const waiting: ((line: string) => void)[] = [];
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.(line));

  const ask = async <Answer>(order: Order): Promise<Answer> => {
    const line = new Promise<string>((resolve) => waiting.push(resolve));
    child.stdin.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(
      await Promise.race([line, ended.then(() => Promise.reject(new Error('the client ended')))]),
    );
  };
  const client: Client = {
    look: () => ask({ look: true }),
    take: () => ask({ take: true }),
    hold: (hold, count) => ask({ hold, count }),
    reset: (reset) => ask({ reset }),
    query: async (query) => (await ask<{ readonly answer: string | null }>({ query })).answer,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
  await client.take();
  return client;
}
