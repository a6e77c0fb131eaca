/** The process that serves the ports of all instances. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { must } from '../support/shell.ts';

export interface Backends {
  /** What an app's `cmd` runs, and the environment that it needs. */
  readonly cmd: string;
  readonly env: Readonly<Record<string, string>>;
  /** How long instances serve on, at least, once they were asked to end; also those that were. */
  linger(ms: number): void;
  /** How long after it was asked to end, at most, a client still came to an instance; since this was last asked. */
  takeLatest(): number;
  stop(): Promise<void>;
}

export async function startBackends(namespace: string, fifo: string): Promise<Backends> {
  await must(['mkfifo', fifo]);
  const script = join(import.meta.dirname, 'backends-main.ts');
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, script, fifo], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let latest = 0;
  createInterface(child.stdout).on('line', (line) => {
    latest = Math.max(latest, JSON.parse(line).late ?? 0);
  });
  return {
    cmd: `exec sh ${join(import.meta.dirname, 'instance.sh')}`,
    env: { BACKENDS: fifo },
    linger: (ms) => void child.stdin.write(`linger ${ms}\n`),
    takeLatest() {
      const taken = latest;
      latest = 0;
      return taken;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
