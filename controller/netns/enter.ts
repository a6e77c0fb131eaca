import { spawn } from 'node:child_process';
import { version } from '../config/version.ts';
import { hasCode, messageOf } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Namespace } from './namespaces.ts';
import { RemoteNamespace } from './remote.ts';

export interface EnterOptions {
  /** The command that the helper is run by, and its arguments; as three more it gets `options` as JSON, the inode of the namespace, and our version. */
  readonly helper: readonly string[];
  readonly options: unknown;
  readonly clock: Pick<Clock, 'sleep'>;
}

const MOST_STDERR = 4_096;

/**
 * Starts a helper in a network namespace. Entering takes CAP_SYS_ADMIN: where that lacks, or the namespace is gone, calls
 * reject and say so; nothing is thrown here.
 */
export function enterNamespace(
  { id, path, inode }: Namespace,
  { helper, options, clock }: EnterOptions,
): RemoteNamespace {
  const line = [`--net=${path}`, '--', ...helper, JSON.stringify(options), String(inode), version()];
  // Options, with credentials in them, may be in our environment: a helper needs none of it.
  const env = { PATH: process.env['PATH'] };
  const child = spawn('nsenter', line, { stdio: ['pipe', 'pipe', 'pipe'], env });
  const remote = new RemoteNamespace(
    { input: child.stdin, output: child.stdout, kill: () => void child.kill('SIGKILL') },
    clock,
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MOST_STDERR);
  });
  const where = `network namespace ${id} (${path})`;
  child.on('error', (error) => {
    const hint = hasCode(error, 'ENOENT') ? ': nsenter is missing, install util-linux' : '';
    remote.end(`${where} cannot be entered: ${messageOf(error)}${hint}`);
  });
  child.on('close', (status, signal) => {
    const said = stderr.trim().split('\n').at(-1) ?? '';
    const hint = /not permitted/.test(said)
      ? ' (CAP_SYS_ADMIN is needed: run as root, or give the unit or container SYS_ADMIN)'
      : '';
    const how = signal === null ? `exit status ${status}` : signal;
    remote.end(`the helper in ${where} ended: ${said === '' ? how : `${said}${hint}`}`);
  });
  return remote;
}
