/**
 * How many queries a second the DNS server answers, and how long the slowest hundredth waits, beside dnsmasq.
 *
 *   node --conditions=ipvs-source test/bench/dns-bench.ts [--check]
 *
 * Needs dnsmasq and dnsperf (Debian: dnsmasq-base and dnsperf). Both servers answer for the same thousand names on
 * loopback, in turns. Of several rounds the best counts: what else the machine does only ever makes one worse. As root all
 * programs have real-time priority, or a busy machine's scheduler would be what is measured.
 * `--check` exits 1 when a target is missed: 0.4 times dnsmasq's queries a second, and at half of our own maximum a 99th
 * percentile of at most four times dnsmasq's at that rate.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const NAMES = 1_000;
const SECONDS = 2;
const ROUNDS = 8;
const PORTS = { ours: 5_397, dnsmasq: 5_398 } as const;
const LEAST_SHARE = 0.4;
const MOST_TIMES_SLOWER = 4;

type Server = keyof typeof PORTS;

const folder = mkdtempSync(join(tmpdir(), 'dns-bench-'));
const questions = join(folder, 'questions');
const output = join(folder, 'output');
const running: ChildProcess[] = [];

/** Both servers, with the same names. */
async function startServers(): Promise<void> {
  const numbers = Array.from({ length: NAMES }, (_, i) => i);
  const name = (i: number) => `web${i}.marathon.l4lb.thisdcos.directory`;
  writeFileSync(questions, numbers.map((i) => `${name(i)} A\n`).join(''));
  const records = join(folder, 'dnsmasq.conf');
  writeFileSync(records, numbers.map((i) => `host-record=${name(i)},11.0.${i >> 8}.${i & 255}\n`).join(''));
  const listen = ['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${PORTS.dnsmasq}`];
  const files = [`--conf-file=${records}`, `--pid-file=${join(folder, 'pid')}`];
  start('dnsmasq', '--keep-in-foreground', '--user=', '--no-resolv', '--no-hosts', ...listen, ...files);
  const phase = fileURLToPath(new URL('dns-phase.ts', import.meta.url));
  const conditions = ['--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
  start(process.execPath, ...conditions, phase, String(PORTS.ours), String(NAMES));
  for (const server of ['ours', 'dnsmasq'] as const) await answering(server);
}

function start(...words: readonly string[]): void {
  running.push(launch(['ignore', 'ignore', 'inherit'], ...words));
}

/** The command line that runs a program ahead of whatever else runs, where that is possible. */
const AHEAD: readonly string[] = process.getuid?.() === 0 ? ['chrt', '--rr', '10'] : [];

function launch(stdio: StdioOptions, ...words: readonly string[]): ChildProcess {
  const [program = '', ...args] = [...AHEAD, ...words];
  const child = spawn(program, args, { stdio });
  child.on('error', (error) => {
    console.error(`${words[0]}: ${error.message}`);
    process.exit(2);
  });
  return child;
}

async function answering(server: Server): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { completed } = await dnsperf(server, '-n', '1', '-q', '1', '-t', '1');
    if (completed > 0) return;
    await sleep(100);
  }
  throw new Error(`${server} does not answer`);
}

interface Load {
  readonly completed: number;
  readonly perSecond: number;
  /** Latencies of the queries that were answered, in seconds. */
  readonly latencies: readonly number[];
}

async function dnsperf(server: Server, ...args: readonly string[]): Promise<Load> {
  const target = ['-s', '127.0.0.1', '-p', String(PORTS[server]), '-d', questions];
  const manner = ['-c', '4', '-T', '1', '-O', 'suppress=timeout,unexpected'];
  // Into a file: whoever read a pipe meanwhile would take from what is measured.
  const file = openSync(output, 'w');
  const child = launch(['ignore', file, 'ignore'], 'dnsperf', ...target, ...manner, ...args);
  await once(child, 'close');
  closeSync(file);
  const text = readFileSync(output, 'utf8');
  const number = (label: string) =>
    Number(new RegExp(`${label}:\\s+([\\d.]+)`).exec(text)?.[1] ?? Number.NaN);
  const latencies = [...text.matchAll(/^> \w+ \S+ \S+ ([\d.]+)$/gm)].map(([, seconds]) => Number(seconds));
  return { completed: number('Queries completed'), perSecond: number('Queries per second'), latencies };
}

/** Queries a second with as many under way as it likes. */
async function most(server: Server): Promise<number> {
  return (await dnsperf(server, '-l', String(SECONDS), '-q', '100')).perSecond;
}

/** The latency that one in a hundred exceeds, in milliseconds, at this rate. */
async function slowest(server: Server, perSecond: number): Promise<number> {
  const { latencies } = await dnsperf(
    server,
    '-l',
    String(SECONDS),
    '-q',
    '1000',
    '-Q',
    String(perSecond),
    '-v',
  );
  const sorted = latencies.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN) * 1_000;
}

async function measure(): Promise<boolean> {
  const rate = await rounds(most, Math.max);
  const half = Math.round(rate.ours / 2);
  const wait = await rounds((server) => slowest(server, half), Math.min);
  const share = rate.ours / rate.dnsmasq;
  const times = wait.ours / wait.dnsmasq;

  console.log(`DNS, ${NAMES} names, UDP, 127.0.0.1, best of ${ROUNDS} rounds`);
  console.log('                                  dnsmasq       ours');
  console.log(row('queries a second', rate, 0));
  console.log(row(`p99 in ms at ${half} a second`, wait, 3));
  console.log(`${share.toFixed(2)} of dnsmasq's rate (target: at least ${LEAST_SHARE})`);
  console.log(`${times.toFixed(2)} times dnsmasq's p99 (target: at most ${MOST_TIMES_SLOWER})`);
  return share >= LEAST_SHARE && times <= MOST_TIMES_SLOWER;
}

async function rounds(
  measureOne: (server: Server) => Promise<number>,
  better: (a: number, b: number) => number,
): Promise<Record<Server, number>> {
  const best = { dnsmasq: await measureOne('dnsmasq'), ours: await measureOne('ours') };
  for (let round = 1; round < ROUNDS; round++) {
    for (const server of ['dnsmasq', 'ours'] as const) {
      best[server] = better(best[server], await measureOne(server));
    }
  }
  return best;
}

function row(what: string, { dnsmasq, ours }: Record<Server, number>, digits: number): string {
  return `${what.padEnd(30)}${dnsmasq.toFixed(digits).padStart(11)}${ours.toFixed(digits).padStart(11)}`;
}

try {
  await startServers();
  const met = await measure();
  if (!met && process.argv.includes('--check')) process.exitCode = 1;
} finally {
  for (const child of running) child.kill();
  rmSync(folder, { recursive: true, force: true });
}
