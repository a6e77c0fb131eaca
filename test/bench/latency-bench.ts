/**
 * How long a change that Marathon tells of takes to the kernel, at 1,000 VIPs and 20 changes a second. In the lab:
 *
 *   node --conditions=ipvs-source test/bench/latency-bench.ts [--in-memory] [--check]
 *
 * `marathon-ipvs run` follows the test Marathon of this process. Every 50 ms something happens to one of its apps: an
 * instance more, a failed health check, one that succeeds again, an instance less. Two clocks: the controller's own
 * histogram, from the arrival of an event to the end of the pass; and a witness that reads the kernel itself, from the
 * moment at which Marathon sent the event.
 *
 * What the lab itself costs is told by a peer in turns with the controller: the least that brings such changes into the
 * kernel (latency-peer.ts), with a Marathon and VIPs of its own, and the same witness.
 *
 * `--in-memory` runs outside the lab, where system calls take as long as they do: with an IPVS kernel in the controller's
 * memory, which the same process witnesses. There is no peer then.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangingApps } from './latency-changes.ts';
import { peerAddress } from './latency-peer.ts';
import { shippedNodeOptions } from './node-options.ts';
import { quantile, Report } from './report.ts';
import { RunningController } from './running-controller.ts';

/** In turns of a third of a minute: of the resyncs, one every 30 s, half come in the controller's turns, whenever they begin. */
const TURNS = 3;
const TURN_SECONDS = 20;
/** The engine compiles what runs often; a controller runs for months. */
const WARM_UP_SECONDS = 20;
const LIMIT_SECONDS = 0.1;
const HISTOGRAM = 'marathon_ipvs_change_latency_seconds';

const PHASE = join(import.meta.dirname, 'latency-phase.ts');
const inMemory = process.argv.includes('--in-memory');
const directory = mkdtempSync(join(tmpdir(), 'latency-bench-'));
const report = new Report();
const phases: ChildProcess[] = [];

const apps = await ChangingApps.deploy();
const peersApps = inMemory ? null : await ChangingApps.deploy();
const { url } = apps.marathon;
const witness = inMemory ? phase('memory', url, directory) : phase('kernel');
const controller = inMemory
  ? RunningController.of(witness)
  : RunningController.start(directory, ['--source', `marathon=${url}`]);
try {
  await Promise.all([ready(witness), controller.ready()]);
  if (peersApps !== null) await ready(phase('peer', peersApps.marathon.url));
  await measure();
} finally {
  for (const each of phases) if (each.connected) each.disconnect();
  await controller.stop();
  await apps.marathon.close();
  await peersApps?.marathon.close();
  rmSync(directory, { recursive: true, force: true });
}
report.print();

function phase(...args: readonly string[]): ChildProcess {
  // As the launcher starts it.
  const env = { ...process.env, MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072' };
  const child = fork(PHASE, args, { execArgv: [...shippedNodeOptions()], env });
  phases.push(child);
  return child;
}

/** Resolves when it says so; rejects when it ends before. */
async function ready(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`${child.spawnargs.slice(-2).join(' ')} ended with ${status}`);
  });
  await Promise.race([once(child, 'message'), ended]);
}

async function measure(): Promise<void> {
  report.add('processor time of the start, s', controller.cpuSeconds(), null, '');
  const addresses = await controller.addresses();
  const addressOf = (index: number): string => {
    const address = addresses.get(`service-${index}`);
    if (address === undefined) throw new Error(`service-${index} has no address`);
    return address;
  };
  await apps.change(WARM_UP_SECONDS, addressOf, witness);
  await peersApps?.change(WARM_UP_SECONDS, peerAddress, witness);

  const latencies: number[] = [];
  const peers: number[] = [];
  const own = { count: 0, within: 0, cpu: 0 };
  for (let turn = 0; turn < TURNS; turn += 1) {
    const before = await histogram();
    const cpu = controller.cpuSeconds();
    latencies.push(...(await apps.change(TURN_SECONDS, addressOf, witness)));
    own.cpu += controller.cpuSeconds() - cpu;
    const after = await histogram();
    own.count += after.count - before.count;
    own.within += after.within - before.within;
    if (peersApps !== null) peers.push(...(await peersApps.change(TURN_SECONDS, peerAddress, witness)));
  }
  tell(latencies, own);
  const what = inMemory ? 'resident memory, with the kernel in memory, MB' : 'resident memory, MB';
  report.add(what, controller.memory(), null, '');
  if (peers.length > 0) compare(latencies, peers);
}

interface Histogram {
  readonly count: number;
  /** Of those the ones within the limit. */
  readonly within: number;
}

async function histogram(): Promise<Histogram> {
  return {
    count: await controller.metric(`${HISTOGRAM}_count`),
    within: await controller.metric(`${HISTOGRAM}_bucket{le="${LIMIT_SECONDS}"}`),
  };
}

function tell(latencies: readonly number[], own: Histogram & { readonly cpu: number }): void {
  const { count, within, cpu } = own;
  const most = LIMIT_SECONDS * 1_000;
  report.add(
    '99th percentile from event to kernel, witness, ms',
    quantile(latencies, 0.99),
    { is: 'at most', ratio: most },
    spread(latencies),
  );
  report.add(
    `share of events within ${most} ms, the controller's histogram`,
    within / count,
    { is: 'at least', ratio: 0.99 },
    `${within} of ${count}`,
  );
  const share = cpu / (TURNS * TURN_SECONDS);
  report.add('processor time of the controller, share of one', share, null, `${cpu.toFixed(1)} s`);
}

function compare(latencies: readonly number[], peers: readonly number[]): void {
  for (const [what, share] of [
    ['median', 0.5],
    ['99th percentile', 0.99],
  ] as const) {
    const ratio = quantile(latencies, share) / quantile(peers, share);
    report.add(`${what}: the controller's to the peer's`, ratio, null, `peer ${spread(peers)}`);
  }
}

function spread(latencies: readonly number[]): string {
  const at = (share: number) => quantile(latencies, share);
  return `p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, of ${latencies.length}`;
}
