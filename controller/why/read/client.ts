import { execFile } from 'node:child_process';
import { messageOf } from '../../errors.ts';
import { type Answers, type Attempts, attempt } from './attempt.ts';

/** What the client got, or why it could not try. */
export type ClientAnswers = Answers | { readonly error: string };

/** Starting a process takes a moment more than waiting for what it waits for. */
const START_MS = 10_000;
const MOST_BYTES = 1_000_000;

/** `web` as `ip netns` names it, or the path of a network namespace: `/proc/4242/ns/net`. */
export function namespacePath(netns: string): string {
  return netns.includes('/') ? netns : `/run/netns/${netns}`;
}

/** Makes the attempts in this namespace (null), or in another one, which takes the right to enter it. Never rejects. */
export async function attemptFrom(
  netns: string | null,
  task: Attempts,
  signal?: AbortSignal,
): Promise<ClientAnswers> {
  if (netns === null) return await attempt(task);
  const script = `(${attempt})(${JSON.stringify(task)}).then((answers) => console.log(JSON.stringify(answers)))`;
  const line = [`--net=${namespacePath(netns)}`, process.execPath, '-e', script];
  const options = { timeout: START_MS + 3 * task.waitMs, maxBuffer: MOST_BYTES, ...(signal && { signal }) };
  return await new Promise((resolve) => {
    execFile('nsenter', line, options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout));
      else resolve({ error: stderr.trim().split('\n').at(-1) || messageOf(error) });
    });
  });
}
