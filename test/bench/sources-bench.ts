/**
 * How long a controller takes from the start of its source to the last step, for how long it does nothing else at a
 * time, and with how much memory: 1,000 VIPs with 10 backends each, as 10,000 tasks of a Mesos master (30 MB) and as
 * MarathonApps of a Kubernetes API server. In the lab:
 *
 *   node --conditions=ipvs-source test/bench/sources-bench.ts [--in-memory] [--check]
 *
 * Source, loop, translator, plan, files, status and metrics are the real ones; interface and routes are left out. The servers are
 * processes of their own; each has a network namespace, and so an IPVS table, with the controller that follows it.
 * `--in-memory` runs outside the lab, with an IPVS kernel in the controller's memory. The peer is a bare `JSON.parse`
 * of the same bytes in a process of its own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedNodeOptions } from './node-options.ts';
import { Report } from './report.ts';
import type { Followed, Parsed } from './sources-phase.ts';
import { BACKENDS, VIPS } from './sources-servers.ts';
import type { Stall } from './stalls.ts';

const IN_MEMORY = process.argv.includes('--in-memory');
const PHASE = join(import.meta.dirname, 'sources-phase.ts');
const LIMIT_MS = 100;

const directory = mkdtempSync(join(tmpdir(), 'sources-bench-'));
const kubeconfig = join(directory, 'kubeconfig');
const report = new Report();
try {
  await measure('mesos', 'Mesos, 10,000 tasks');
  await measure('kubernetes', 'Kubernetes, 1,000 x 10');
} finally {
  rmSync(directory, { recursive: true, force: true });
}
report.print();

async function measure(kind: string, what: string): Promise<void> {
  const namespace = IN_MEMORY ? null : `sources-${kind}`;
  if (namespace !== null) {
    execFileSync('ip', ['netns', 'add', namespace]);
    execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  }
  const phase = (...args: readonly string[]) => start(namespace, args);
  const server = phase('serve', kind, kubeconfig);
  try {
    const url = await answer<string>(server);
    const modes = IN_MEMORY ? ['--in-memory'] : [];
    const followed = await answer<Followed>(phase('follow', kind, url, join(directory, kind), ...modes));
    const parsed = await answer<Parsed>(phase('parse', kind, url));
    tell(what, followed, parsed);
  } finally {
    server.kill();
    if (namespace !== null) execFileSync('ip', ['netns', 'del', namespace]);
  }
}

/** Starts a phase, which is a child with a channel in a namespace too: `ip` becomes what it executes. */
function start(namespace: string | null, args: readonly string[]): ChildProcess {
  const inside = namespace === null ? [] : ['ip', 'netns', 'exec', namespace];
  const [file = '', ...rest] = [...inside, process.execPath, ...shippedNodeOptions(), PHASE, ...args];
  return spawn(file, rest, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
}

/** Its one message; rejects when it ends without. */
async function answer<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`a process of the benchmark ended with ${status}`);
  });
  // Once it has answered, nobody waits for its end.
  ended.catch(() => undefined);
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message as T;
}

function tell(what: string, followed: Followed, parsed: Parsed): void {
  const { begun, told, done, passes, services, backends, reading, passing, memory, highest } = followed;
  if (services !== VIPS || backends !== VIPS * BACKENDS)
    throw new Error(`${services} services with ${backends} backends, not ${VIPS} with ${VIPS * BACKENDS}`);
  const size = `${(parsed.bytes / 1e6).toFixed(1)} MB`;
  const most = { ratio: LIMIT_MS, is: 'at most' } as const;
  report.add(
    `${what}, start to the last step, s`,
    done / 1e3,
    null,
    `read after ${ms(told)}, ${passes} pass`,
  );
  report.add(`${what}, longest block until it is read, ms`, reading.wall, most, stall(reading, begun));
  report.add(`${what}, longest block that ends later, ms`, passing.wall, most, stall(passing, begun));
  const { observation, writes, pass } = followed;
  const rest = `kernel read ${ms(observation)}, writes ${ms(writes)}`;
  report.add(`${what}, the pass, ms`, pass, null, rest);
  report.add(`${what}, JSON.parse of the same ${size}, ms`, parsed.parse, null, 'one block');
  const peer = `at its highest ${highest.toFixed(0)}, JSON.parse ${parsed.highest.toFixed(0)}`;
  report.add(`${what}, resident memory, MB`, memory, null, peer);
}

function stall({ cpu, gc, start }: Stall, begun: number): string {
  return `after ${ms(start - begun)}, ${ms(cpu)} of it processor time, ${ms(gc)} V8 collecting garbage`;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
