/** Network namespaces that are not this process's own, made without the lab: as root, or in a user namespace of one's own. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { until } from './waiting.ts';

const WAYS = [['--net'], ['--user', '--net']] as const;
const WAY = WAYS.find((way) => {
  try {
    execFileSync('unshare', [...way, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** False where the system lets nobody make one: what needs some is to be skipped then, with the reason. */
export const CAN_MAKE_NAMESPACES = WAY !== undefined;

export interface HeldNamespace {
  /** `/proc/4242/ns/net`. */
  readonly path: string;
  /** It is gone once this resolves. */
  end(): Promise<void>;
}

/** Makes one, which lives until it is told to end. */
export async function holdNamespace(): Promise<HeldNamespace> {
  const child = spawn('unshare', [...(WAY ?? []), 'sh', '-c', 'exec sleep 600'], { stdio: 'ignore' });
  const path = `/proc/${child.pid}/ns/net`;
  const own = readlinkSync('/proc/self/ns/net');
  await until(async () => {
    if (readlinkSync(path) === own) throw new Error('not yet');
  }, 'a network namespace is there');
  return { path, end: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await over;
}
