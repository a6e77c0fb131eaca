/** The programs of clients and backends, each in a network namespace. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** More than what most tests need: some hold tens of thousands of connections. */
const MOST_SOCKETS = 65_536;

/** Starts a script of this folder in a network namespace. It ends when its standard input does. */
export function inNamespace(name: string, script: string, ...args: readonly string[]): ChildProcess {
  const path = join(import.meta.dirname, script);
  const inside = ['netns', 'exec', name, 'prlimit', `--nofile=${MOST_SOCKETS}`];
  return spawn('ip', [...inside, process.execPath, path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Ends a script, and resolves when it has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  const end = child.exitCode === null ? once(child, 'close') : Promise.resolve();
  child.stdin?.end();
  await end;
}
