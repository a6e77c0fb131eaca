import { spawn } from 'node:child_process';
import { version } from '../config/version.ts';
import { hasCode, messageOf } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Namespace } from './namespaces.ts';
import { RemoteNamespace } from './remote.ts';

export interface EnterOptions {
  /** The helper's command line. `options` as JSON, the inode of the namespace and this program's version are appended. */
  readonly helper: readonly string[];
  readonly options: unknown;
  readonly clock: Pick<Clock, 'sleep'>;
}

const MAX_STDERR = 4_096;

/**
 * Starts a helper in a network namespace, which takes CAP_SYS_ADMIN. Never throws: without the capability, or if the namespace
 * is gone, the calls reject with the reason.
 */
export function enterNamespace(
  { id, path, inode }: Namespace,
  { helper, options, clock }: EnterOptions,
): RemoteNamespace {
  const line = [`--net=${path}`, '--', ...helper, JSON.stringify(options), String(inode), version()];
  // The environment may hold options with credentials, which the helper does not need.
  const env = { PATH: process.env['PATH'] };
  const child = spawn('nsenter', line, { stdio: ['pipe', 'pipe', 'pipe'], env });
  const remote = new RemoteNamespace(
    { input: child.stdin, output: child.stdout, kill: () => void child.kill('SIGKILL') },
    clock,
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR);
  });
  const where = `network namespace ${id} (${path})`;
  child.on('error', (error) => {
    const hint = hasCode(error, 'ENOENT') ? ': nsenter is missing, install util-linux' : '';
    remote.end(`cannot enter ${where}: ${messageOf(error)}${hint}`);
  });
  child.on('close', (status, signal) => {
    const message = stderr.trim().split('\n').at(-1) ?? '';
    const hint = /not permitted/.test(message)
      ? ' (CAP_SYS_ADMIN is needed: run as root, or give the unit or container SYS_ADMIN)'
      : '';
    const how = signal === null ? `exit status ${status}` : signal;
    remote.end(`the helper in ${where} ended: ${message === '' ? how : `${message}${hint}`}`);
  });
  return remote;
}
