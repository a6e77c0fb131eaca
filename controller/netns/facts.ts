import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { deserialize, serialize } from 'node:v8';
import { ControllerError, hasCode, messageOf } from '../errors.ts';
import type { Namespace } from './namespaces.ts';

/** sysfs shows the interfaces of the namespace that it was mounted in, so it is mounted anew, as `ip netns exec` does. */
const MOUNTED = ['unshare', '--mount', '--', 'sh', '-c', 'mount -t sysfs sysfs /sys && exec "$@"', 'sh'];

/**
 * Runs a program in another network namespace to read something there, and resolves with its answer. `program` is a command line,
 * to which the inode of the namespace is appended. Question and answer may be anything that `structuredClone` accepts. Rejects
 * with a `ControllerError` if the namespace cannot be entered, and with the signal's reason if that aborts.
 */
export async function askInNamespace(
  { id, path, inode }: Namespace,
  program: readonly string[],
  question: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  const line = [`--net=${path}`, '--', ...MOUNTED, ...program, String(inode)];
  const child = spawn('nsenter', line, { stdio: ['pipe', 'pipe', 'pipe'], signal });
  const where = `network namespace ${id} (${path})`;
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // The exit status below reports a program that ends early.
  child.stdin.on('error', () => undefined);
  child.stdin.end(serialize(question));
  try {
    const [answer, stderr, status] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
    if (status === 0) return deserialize(answer);
    throw new Error(stderr.trim().split('\n').at(-1) || `exit status ${status}`);
  } catch (error) {
    signal?.throwIfAborted();
    const hint = hasCode(error, 'ENOENT') ? ': nsenter is missing, install util-linux' : '';
    throw new ControllerError('kernel', `cannot examine ${where}: ${messageOf(error)}${hint}`);
  }
}
