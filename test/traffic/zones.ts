/** Starts the processes of `zones-main.ts`. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Taken } from './zones-main.ts';

export interface ZoneBackends {
  /** These refuse connections from now on. */
  stopServing(addresses: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Serves a port at each of these addresses of a namespace; resolves once it does. */
export async function startZoneBackends(
  namespace: string,
  port: number,
  addresses: readonly string[],
): Promise<ZoneBackends> {
  const { ask, stop } = start(namespace, ['serve', String(port), ...addresses]);
  await ask({});
  return {
    stop,
    async stopServing(addresses) {
      await ask({ stop: addresses });
    },
  };
}

export interface ZoneClient {
  /** Who answered since this was last asked, and what failed. */
  take(): Promise<Taken>;
  stop(): Promise<void>;
}

/** Connects again and again, from a namespace; resolves once it does. */
export async function startZoneClient(namespace: string, address: string, port: number): Promise<ZoneClient> {
  const { ask, stop } = start(namespace, ['connect', address, String(port)]);
  const take = async () => (await ask({})) as Taken;
  await take();
  return { take, stop };
}

function start(namespace: string, args: readonly string[]) {
  const script = join(import.meta.dirname, 'zones-main.ts');
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const waiting: ((line: string) => void)[] = [];
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.(line));
  return {
    async ask(order: object): Promise<unknown> {
      const line = new Promise<string>((resolve) => waiting.push(resolve));
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const gone = ended.then(() => Promise.reject(new Error(`${args[0]} in ${namespace} ended`)));
      return JSON.parse(await Promise.race([line, gone]));
    },
    async stop(): Promise<void> {
      child.stdin.end();
      await ended;
    },
  };
}
