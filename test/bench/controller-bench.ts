/**
 * What a pass costs, beside what an operator would have used. Run in the lab, as root of a network of its own:
 *
 *   node --conditions=ipvs-source test/bench/controller-bench.ts [--large] [--check]
 *
 * `--check` exits with 1 when a target is missed.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpvsClient } from 'ipvs-netlink-ts';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import { parsePool } from '../../controller/desired/pool.ts';
import { Reconciler } from '../../controller/loop/reconciler.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import type { IpvsTable } from '../../controller/ports.ts';
import { createFileSource } from '../../controller/source/file/source.ts';
import { systemClock } from '../../controller/time.ts';
import { LAUNCHER } from '../support/program.ts';
import { list } from '../support/telling.ts';
import { marathonApp, marathonApps } from './apps.ts';
import { median, Report } from './report.ts';
import { RunningController } from './running-controller.ts';
import { timed } from './timed.ts';

const TASKS = 10;
const HOSTS = 200;
const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const RESOLVER = { resolve: async (host: string) => host };

const directory = mkdtempSync(join(tmpdir(), 'bench-'));
const report = new Report();
try {
  const small = await passes(1_000);
  await changes();
  await memory();
  if (process.argv.includes('--large')) {
    const large = await passes(10_000);
    atMost(
      'no-op pass with 10 times the apps, CPU',
      large / small,
      12,
      `${seconds(large)} s to ${seconds(small)} s`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
report.print();

function atMost(what: string, ratio: number, most: number, detail: string): void {
  report.add(what, ratio, { ratio: most, is: 'at most' }, detail);
}

function seconds(value: number): string {
  return value.toFixed(2);
}

/** `run --once` on apps that the kernel has already; resolves with its CPU seconds. */
async function passes(count: number): Promise<number> {
  const file = join(directory, `apps-${count}.json`);
  writeFileSync(file, JSON.stringify(marathonApps(count, TASKS)));
  const node = [process.execPath, '--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
  const places = [
    '--ledger',
    join(directory, `ledger-${count}.json`),
    '--state-dir',
    join(directory, 'state'),
    '-o',
    'ipvsadm',
  ];
  const once = [LAUNCHER, 'run', '--once', '--source', `file=${file}`, ...places];
  execFileSync('ipvsadm', ['-C']);
  execFileSync(once[0] ?? '', once.slice(1), { stdio: ['ignore', 'ignore', 'inherit'], maxBuffer: 2 ** 30 });

  const own = ofThree(() => cpuOf(once));
  const ipvsadm = ofThree(() => cpuOf(['ipvsadm', '-Sn']));
  const parse = ofThree(() =>
    cpuOf([...node, '-e', `JSON.parse(require('fs').readFileSync('${file}', 'utf8'))`]),
  );
  atMost(
    `no-op pass, ${count} x ${TASKS}, CPU to ipvsadm -Sn and JSON.parse`,
    own / (ipvsadm + parse),
    4,
    `${seconds(own)} s to ${seconds(ipvsadm)} + ${seconds(parse)} s`,
  );
  return own;
}

function ofThree(measure: () => number): number {
  return median([measure(), measure(), measure()]);
}

/** User and system seconds of a whole process, which prints each step that it makes: there are none. */
function cpuOf(command: readonly string[]): number {
  return timed(command).cpu;
}

/** One task of 10,000 moves: in this process, against a full pass in this process. */
async function changes(): Promise<void> {
  const file = join(directory, 'apps-1000.json');
  const client = await IpvsClient.open();
  const table = createKernelTable(client);
  const written: number[] = [];
  const counting: IpvsTable = {
    ...table,
    async apply(steps) {
      written.push(steps.length);
      return await table.apply(steps);
    },
  };
  const pools = { ipv4: parsePool('11.0.0.0/8'), ipv6: parsePool('fd01:c::/64') };
  const ports = {
    table: counting,
    reachability: null,
    ledger: { load: async () => ({ entries: new Map() }), save: async () => undefined },
    store: {
      loadSource: async () => null,
      saveSource: async () => undefined,
      loadMemory: async () => ({ addresses: new Map(), labels: new Map() }),
      saveMemory: async () => undefined,
      loadSerial: async () => null,
      saveSerial: async () => undefined,
    },
    clock: systemClock,
    log: LOG,
  };
  const reconciler = new Reconciler(ports, {
    translation: { zone: 'l4lb.thisdcos.directory', pools },
    brake: { share: 0.5, holdMs: 60_000 },
    inPool: () => true,
    adopt: false,
    dryRun: false,
  });
  const source = () => createFileSource({ path: file, resolver: RESOLVER, log: LOG });
  const never = new AbortController().signal;
  const pass = async (full: boolean) =>
    await reconciler.pass({ full, complete: true, changesSince: [], gone: [] });
  const full = async (snapshot: Snapshot) => {
    list(reconciler.inventory, 'file', snapshot);
    return await pass(true);
  };

  let snapshot = await source().read(never);
  await full(snapshot);
  const fullCpu = await cpu(5, async () => {
    snapshot = await source().read(never);
    await full(snapshot);
  });

  written.length = 0;
  const rounds = 100;
  const one = join(directory, 'one.json');
  const readOne = createFileSource({ path: one, resolver: RESOLVER, log: LOG });
  const changeCpu = await cpu(rounds, async (round) => {
    const index = (round * 37) % 1_000;
    writeFileSync(one, JSON.stringify(marathonApp(index, TASKS, HOSTS, 1)));
    const [app] = (await readOne.read(never)).apps;
    if (app === undefined) throw new Error('the changed app was not read');
    reconciler.inventory.apply('file', { upserts: [app], removed: [], complete: false, learnedAt: 0 });
    await pass(false);
  });
  const steps = written.reduce((sum, count) => sum + count, 0);
  atMost(
    'one task of 1,000 x 10 changes, CPU to a full pass',
    changeCpu / fullCpu,
    0.05,
    `${(changeCpu * 1e3).toFixed(1)} ms to ${(fullCpu * 1e3).toFixed(0)} ms`,
  );
  atMost(
    'steps for it (one backend comes, one goes)',
    steps / (rounds + 1),
    2,
    `${steps} steps for ${rounds + 1} changes`,
  );
  client.close();
}

/** Resident memory of a controller that has programmed 1,000 x 10 and followed for a while. */
async function memory(): Promise<void> {
  const file = join(directory, 'apps-1000.json');
  const controller = RunningController.start(directory, [
    '--source',
    `file=${file}`,
    '--resync-seconds',
    '2',
  ]);
  await sleep(20_000);
  const resident = controller.memory();
  await controller.stop();
  atMost('resident memory at 1,000 x 10, MB', resident, 200, 'after 20 s with a full pass every 2 s');
}

/** CPU seconds of one round. */
async function cpu(rounds: number, work: (round: number) => Promise<void>): Promise<number> {
  await work(rounds);
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) await work(round);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / rounds;
}
