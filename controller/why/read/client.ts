import { execFile } from 'node:child_process';
import { messageOf } from '../../errors.ts';
import { type AttemptResults, type Attempts, attempt } from './attempt.ts';

/** The results, or why no attempt could be made. */
export type ClientResults = AttemptResults | { readonly error: string };

/** Allowance for starting the process, on top of its own timeouts. */
const START_MS = 10_000;
const MAX_BYTES = 1_000_000;

/** Returns the path of a network namespace given by its `ip netns` name (`web`) or its path (`/proc/4242/ns/net`). */
export function namespacePath(netns: string): string {
  return netns.includes('/') ? netns : `/run/netns/${netns}`;
}

/** Makes the attempts in this network namespace (null), or in another one, which takes the right to enter it. Never rejects. */
export async function attemptFrom(
  netns: string | null,
  task: Attempts,
  signal?: AbortSignal,
): Promise<ClientResults> {
  if (netns === null) return await attempt(task);
  const script = `(${attempt})(${JSON.stringify(task)}).then((results) => console.log(JSON.stringify(results)))`;
  const line = [`--net=${namespacePath(netns)}`, process.execPath, '--disable-sigusr1', '-e', script];
  const options = { timeout: START_MS + 3 * task.waitMs, maxBuffer: MAX_BYTES, ...(signal && { signal }) };
  return await new Promise((resolve) => {
    execFile('nsenter', line, options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout));
      else resolve({ error: stderr.trim().split('\n').at(-1) || messageOf(error) });
    });
  });
}
