/** The controller as a user has it: its command line, and `run` as a process. */

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAUNCHER } from '../support/program.ts';
import { command, type Outcome, waitFor } from '../support/shell.ts';
import { colourChoice } from './show.ts';

export const LOG = join(tmpdir(), 'marathon-ipvs.log');
const API = 'http://127.0.0.1:61421';

export function diff(source: string, ...options: readonly string[]): Promise<Outcome> {
  return command([LAUNCHER, 'diff', '--source', source, '--color', colourChoice, ...options]);
}

/** What the running controller says of the way to a VIP. */
export function why(vip: string): Promise<Outcome> {
  return command([LAUNCHER, 'why', vip, '--color', colourChoice]);
}

export interface Controller {
  /** Sends SIGTERM and resolves with the exit status. */
  stop(): Promise<number | null>;
}

/** Resolves once `/readyz` says that the kernel is as desired. Its log is in LOG. */
export async function startController(source: string): Promise<Controller> {
  const child = spawn(LAUNCHER, ['run', '--source', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(LOG);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));

  await waitFor('the controller is ready', async () => {
    if (child.exitCode !== null) throw new Error(`the controller ended with status ${child.exitCode}`);
    return (await get('/readyz')) === undefined ? undefined : true;
  });
  return {
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** The one VIP of the running controller's diff, `address:port`: what `diff -o json` prints, without starting it. */
export async function vipOfDiff(): Promise<string> {
  const { services } = JSON.parse((await get('/v1/diff')) ?? '{"services":[]}');
  if (services.length !== 1) throw new Error(`the diff has ${services.length} VIPs, not 1`);
  return `${services[0].address}:${services[0].port}`;
}

/** The body of a good answer of the controller's HTTP side; undefined without one. */
async function get(path: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${API}${path}`, { headers: { connection: 'close' } });
    const body = await response.text();
    return response.ok ? body : undefined;
  } catch {
    return undefined;
  }
}
