/** `marathon-ipvs run` as a process, and what it says of itself. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LAUNCHER } from '../support/program.ts';

const DEFAULT_API = 'http://127.0.0.1:61421';
/** What /proc counts processor time in. */
const TICKS_PER_SECOND = 100;

/** What a controller that was forked sends its parent when it serves its API. */
export interface Serving {
  readonly url: string;
}

export class RunningController {
  readonly #child: ChildProcess;
  /** Null until it serves. */
  #api: string | null;

  private constructor(child: ChildProcess, api: string | null) {
    this.#child = child;
    this.#api = api;
  }

  /** One that was started in another way, and sends a `Serving`. */
  static of(child: ChildProcess): RunningController {
    const controller = new RunningController(child, null);
    child.on('message', ({ url }: Partial<Serving>) => {
      if (url !== undefined) controller.#api = url;
    });
    return controller;
  }

  /** `directory` is for its ledger and its state. */
  static start(directory: string, args: readonly string[]): RunningController {
    const places = ['--ledger', join(directory, 'ledger.json'), '--state-dir', join(directory, 'state')];
    // That variable is for the many programs that the lab starts from source. The unit and the image have none.
    const { NODE_COMPILE_CACHE: _, ...env } = process.env;
    const child = spawn(LAUNCHER, ['run', ...places, '--log-level', 'error', ...args], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return new RunningController(child, DEFAULT_API);
  }

  /** Resolves when the kernel is as desired; rejects when the process has ended. */
  async ready(): Promise<void> {
    while (!(await isReady(this.#api))) {
      if (this.#child.exitCode !== null) throw new Error(`the controller ended with ${this.#child.exitCode}`);
      await sleep(200);
    }
  }

  /** The value of a metric, by its name with its labels as they are printed. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#api}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    if (line === undefined) throw new Error(`there is no metric ${name}`);
    return Number(line.split(' ').at(-1));
  }

  /** Name of a VIP -> its IPv4 address. */
  async addresses(): Promise<ReadonlyMap<string, string>> {
    const { services } = (await (await fetch(`${this.#api}/v1/diff`)).json()) as {
      readonly services: readonly { readonly name: string; readonly address: string }[];
    };
    return new Map(
      services.filter(({ address }) => !address.includes(':')).map((each) => [each.name, each.address]),
    );
  }

  /** User and system seconds so far. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** In MB; at its highest so far with `VmHWM`. */
  memory(which: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1e3;
  }

  /** Has the whole table read and put right at once. */
  resync(): void {
    this.#child.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await ended;
  }
}

async function isReady(api: string | null): Promise<boolean> {
  if (api === null) return false;
  try {
    const response = await fetch(`${api}/readyz`, { headers: { connection: 'close' } });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
