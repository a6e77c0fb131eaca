/** One real process (with all that it starts) behind a task. */

import { type ChildProcess, spawn } from 'node:child_process';

export interface ProcessOptions {
  readonly cmd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly netns: string | undefined;
  /** Where its output goes: nowhere, or to this process's stderr. */
  readonly output: 'ignore' | 'inherit';
}

export class TaskProcess {
  /** Resolves when the process has ended: with its exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Resolves once it runs; never, where it could not be started. */
  readonly started: Promise<void>;
  readonly #child: ChildProcess;
  #escalation: NodeJS.Timeout | undefined;

  constructor({ cmd, env, netns, output }: ProcessOptions) {
    const [file, args] = shellCommand(cmd, netns);
    const stdout = output === 'ignore' ? 'ignore' : 2;
    // A group of its own, so that what the shell starts is killed with it.
    this.#child = spawn(file, args, {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', stdout, stdout],
    });
    this.started = new Promise((resolve) => this.#child.once('spawn', resolve));
    this.ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve(127));
      this.#child.once('exit', (code) => {
        clearTimeout(this.#escalation);
        // The shell is gone; whatever it left behind in its group goes too.
        this.signal('SIGKILL');
        resolve(code);
      });
    });
  }

  /** Asks it to end, and makes it end after the grace period. */
  kill(graceMs: number): void {
    this.signal('SIGTERM');
    this.#escalation ??= setTimeout(() => this.signal('SIGKILL'), graceMs);
  }

  signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // No process of the group is left.
    }
  }
}

/** Runs a command as a task of that agent would, and says whether it succeeded within the time. */
export function runCheck(
  cmd: string,
  options: Omit<ProcessOptions, 'cmd'>,
  timeoutMs: number,
): Promise<string | null> {
  const check = new TaskProcess({ ...options, cmd });
  const timer = setTimeout(() => check.signal('SIGKILL'), timeoutMs);
  return check.ended.then((code) => {
    clearTimeout(timer);
    return code === 0 ? null : `Command exited with status ${code ?? 'killed'}`;
  });
}

function shellCommand(cmd: string, netns: string | undefined): [string, string[]] {
  return netns === undefined ? ['sh', ['-c', cmd]] : ['ip', ['netns', 'exec', netns, 'sh', '-c', cmd]];
}
