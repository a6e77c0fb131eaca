/** Commands, and waiting for what they show. */

import { execFile } from 'node:child_process';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMITS = { maxBuffer: 64 * 1024 * 1024, timeout: 180_000 };

/** Runs a command, with `input` as its stdin; a status other than 0 is no rejection. */
export function command(line: readonly string[], input = ''): Promise<Outcome> {
  const [file = '', ...args] = line;
  return new Promise((resolve) => {
    const child = execFile(file, args, LIMITS, (error, stdout, stderr) => {
      const { code } = error ?? { code: 0 };
      const started = typeof code === 'number';
      // One that could not be started, or was killed, has said nothing itself.
      resolve({
        status: started ? code : 127,
        stdout,
        stderr: stderr || (started ? '' : (error?.message ?? '')),
      });
    });
    // A command that does not read has perhaps ended already; its status says what matters.
    child.stdin?.on('error', () => {}).end(input);
  });
}

/** Runs a command that must succeed, and gives its stdout. */
export async function must(line: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await command(line, input);
  if (status !== 0) throw new Error(`${line.join(' ')}: status ${status}: ${stderr || stdout}`);
  return stdout;
}

const LOOK_EVERY_MS = 100;

/**
 * Looks again and again until there is a value; rejects when none has come in time.
 *
 * It counts its own pauses, not the clock: a machine that stands still for a while costs nothing then.
 */
export async function waitFor<Value>(
  what: string,
  look: () => Promise<Value | undefined>,
  limitMs = 30_000,
): Promise<Value> {
  for (let waited = 0; waited < limitMs; waited += LOOK_EVERY_MS) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`${what}: not within ${limitMs / 1000} s`);
}
