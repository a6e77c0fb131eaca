import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { deserialize, serialize } from 'node:v8';
import { ControllerError, hasCode, messageOf } from '../errors.ts';
import type { Namespace } from './namespaces.ts';

/** The file system that shows the interfaces shows those of the namespace that it was mounted in: `ip netns exec` does this too. */
const MOUNTED = ['unshare', '--mount', '--', 'sh', '-c', 'mount -t sysfs sysfs /sys && exec "$@"', 'sh'];

/**
 * Asks a program that it starts in another network namespace, and that ends with its answer: what is read there, but not kept.
 * `program`: the command, which gets the inode of the namespace as one more argument. Question and answer may be anything that
 * `structuredClone` takes. Rejects with a `ControllerError` where the namespace cannot be entered, and with the signal's
 * reason when that aborts.
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
  // One that ends unasked is told of below, by its status.
  child.stdin.on('error', () => undefined);
  child.stdin.end(serialize(question));
  try {
    const [answer, said, status] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
    if (status === 0) return deserialize(answer);
    throw new Error(said.trim().split('\n').at(-1) || `exit status ${status}`);
  } catch (error) {
    signal?.throwIfAborted();
    const hint = hasCode(error, 'ENOENT') ? ': nsenter is missing, install util-linux' : '';
    throw new ControllerError('kernel', `${where} cannot be looked into: ${messageOf(error)}${hint}`);
  }
}
