/** The host that a kernel test runs on, as an operator has it: shell commands, and the controller as a process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeArguments, PROGRAM } from './program.ts';
import { must, type Outcome, command as run } from './shell.ts';
import { eventually } from './waiting.ts';

/** Kernel tests change the tables of the kernel they run on: only the lab sets this. */
export const IN_LAB = process.env['IPVS_KERNEL_TESTS'] === 'yes-change-my-tables';

export type { Outcome };
export { eventually };

/** Runs a command; a status other than 0 is no rejection. */
export async function command(file: string, ...args: readonly string[]): Promise<Outcome> {
  return await run([file, ...args]);
}

/** Runs a line of shell; rejects with what it said when it fails. */
export async function shell(line: string): Promise<string> {
  return await must(['sh', '-c', line]);
}

/** The kernel's table in the words of an independent witness, sorted. */
export async function ipvsadm(): Promise<string[]> {
  return (await shell('ipvsadm -Sn')).split('\n').filter(Boolean).sort();
}

/** Takes away what a test before this one may have left; only ever in the lab, which is nobody else's. */
const CLEAR =
  'ipvsadm -C; ip link del vip0 2>/dev/null; nft delete table inet marathon_ipvs 2>/dev/null || true';

/** A controller with its own directories; `close` ends what it started and removes what it made. */
export class TestHost {
  readonly directory: string;
  /**
   * Variables that a controller is started with besides our own. Backends of tests are often nobody's; a test of ejection
   * asks for it.
   */
  environment: Readonly<Record<string, string>> = {};
  readonly #running = new Set<ChildProcess>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<TestHost> {
    await shell(CLEAR);
    return new TestHost(await mkdtemp(join(tmpdir(), 'marathon-ipvs-test-')));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** `--ledger` and `--state-dir` in this test's directory. */
  places(): string[] {
    return ['--ledger', this.path('ledger.json'), '--state-dir', this.path('state')];
  }

  /** Runs the controller until it ends by itself. */
  async marathonIpvs(...args: readonly string[]): Promise<Outcome> {
    return await command(process.execPath, ...nodeArguments(), ...args);
  }

  /** Starts `run`, which is not ready at once; its HTTP port is 61421 unless the arguments say otherwise. */
  async start(...args: readonly string[]): Promise<RunningController> {
    return this.startCopy(PROGRAM, ...args);
  }

  /** The same with the copy of the program in that folder. */
  startCopy(program: string, ...args: readonly string[]): RunningController {
    const child = spawn(process.execPath, [...nodeArguments(program), 'run', ...this.places(), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MARATHON_IPVS_EJECT: 'off', ...this.environment },
    });
    this.#running.add(child);
    const controller = new RunningController(child);
    child.once('exit', () => this.#running.delete(child));
    return controller;
  }

  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await shell(CLEAR);
    await rm(this.directory, { recursive: true, force: true });
  }
}

export class RunningController {
  readonly #child: ChildProcess;
  /** Everything that it has logged. */
  log = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.log += data.toString();
      });
    }
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(`http://127.0.0.1:61421${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** Resolves when `/readyz` says so; rejects with what it says and the log otherwise. */
  async ready(): Promise<void> {
    const ended = await eventually(async () => {
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null) return { code: exitCode ?? signalCode };
      const { status, body } = await this.get('/readyz?verbose');
      if (status !== 200) throw new Error(`${body}\n${this.log}`);
      return { code: null };
    }, 'the controller is ready');
    if (ended.code !== null) throw new Error(`the controller ended with ${ended.code}: ${this.log}`);
  }

  /** The value of a metric without or with these labels; 0 where there is none. */
  async metric(name: string): Promise<number> {
    const { body } = await this.get('/metrics');
    const line = body.split('\n').find((text) => text.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Sends the signal and resolves with the exit status once it has ended; null after a signal that it cannot catch. */
  async end(name: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return exitCode;
    const ended = new Promise<number | null>((resolve) => this.#child.once('exit', (code) => resolve(code)));
    this.#child.kill(name);
    return await ended;
  }
}
