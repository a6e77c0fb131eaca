/** The two clients of the demo: one on this host, one in a container. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generateLoad, type Tally } from './load.ts';
import { CONTAINER } from './network.ts';

export interface Client {
  readonly name: string;
  /** What it has seen so far. */
  tally(): Tally;
  /** Ends it; resolves with all that it has seen. */
  stop(): Promise<Tally>;
}

const NOTHING: Tally = { requests: 0, failed: 0, errors: [], answers: {} };

export function hostClient(url: string): Client {
  let latest = NOTHING;
  const abort = new AbortController();
  const done = generateLoad(url, abort.signal, (tally) => {
    latest = tally;
  });
  const stop = async () => {
    abort.abort();
    await done;
    return latest;
  };
  return { name: 'host', tally: () => latest, stop };
}

export function containerClient(url: string): Client {
  let latest = NOTHING;
  const script = join(import.meta.dirname, 'load-main.ts');
  const child = spawn('ip', ['netns', 'exec', CONTAINER, process.execPath, script, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  createInterface(child.stdout).on('line', (line) => {
    latest = JSON.parse(line);
  });
  const done = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    child.stdin.end();
    await done;
    return latest;
  };
  return { name: 'container', tally: () => latest, stop };
}

/** What came between two looks at one client. */
export function since(before: Tally, now: Tally): ReadonlyMap<string, number> {
  const counts = Object.entries(now.answers).map(([backend, count]): [string, number] => [
    backend,
    count - (before.answers[backend] ?? 0),
  ]);
  return new Map(counts.filter(([, count]) => count > 0));
}
