/** A controller of change-bench: brings so many VIPs into a kernel in memory, then one change after the other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { resolveConfig } from '../../controller/config/config.ts';
import { appSchema } from '../../controller/input/marathon-json.ts';
import { Reconciler } from '../../controller/loop/reconciler.ts';
import { createMetrics } from '../../controller/metrics/metrics.ts';
import type { App } from '../../controller/model/app.ts';
import { convertApp } from '../../controller/source/document/apps.ts';
import { createStatusBoard } from '../../controller/status/board.ts';
import { createHistory } from '../../controller/status/history.ts';
import { marathonApp } from './apps.ts';
import { portsOf, rulesOf } from './parts.ts';
import { quantile } from './report.ts';
import { longest, StallWatch } from './stalls.ts';

/** Times in milliseconds, sizes in MB unless told otherwise. */
export interface ChangeCosts {
  readonly vips: number;
  readonly start: { readonly wall: number; readonly stretch: number; readonly stretchCpu: number };
  readonly change: { readonly cpu: number; readonly p50: number; readonly p99: number };
  /** CPU of a full pass that finds nothing to do. */
  readonly resync: number;
  readonly resident: number;
  readonly kernel: number;
  /** Bytes, without the kernel and what the process needs for nothing. */
  readonly perBackend: number;
}

const BACKENDS = 10;
const APPS_PER_HOST = 5;
/** With so many hosts fewer, no two tasks share an address and port, at any of the sizes. */
const FEWER_HOSTS = 3;
const CHANGES = 300;
const WARM_UP = 100;

const vips = Number(process.argv[2]);
const directory = mkdtempSync(join(tmpdir(), 'change-bench-'));
const kernel = new FakeKernel();
const client = await IpvsClient.open({ transport: kernel.transport() });
const config = resolveConfig('run', [], { MARATHON_IPVS_SOURCE: 'file=.' });
const ports = portsOf(client, directory);
const reconciler = new Reconciler(ports, rulesOf(config));
const observed = { sources: ['file=.'], dryRun: false, clock: ports.clock };
const board = createStatusBoard({ ...observed, history: createHistory() });
const metrics = createMetrics(observed, { board });
try {
  const costs = await measure();
  process.send?.(costs);
} finally {
  client.close();
  rmSync(directory, { recursive: true });
}

async function measure(): Promise<ChangeCosts> {
  const empty = heap();
  const upserts: App[] = [];
  for (let index = 0; index < vips; index += 1) {
    upserts.push(read(index, 0));
    if (index % 100 === 0) await setImmediate();
  }
  const watch = new StallWatch();
  const begun = performance.now();
  reconciler.inventory.apply('file=.', { upserts, removed: [], complete: true, learnedAt: 0 });
  upserts.length = 0;
  await pass(true);
  const wall = performance.now() - begun;
  const { wall: stretch, cpu: stretchCpu } = longest(watch.stop());

  const cpu: number[] = [];
  const walls: number[] = [];
  for (let round = 0; round < WARM_UP + CHANGES; round += 1) {
    const app = read((round * 37) % vips, 1 + (round % 3));
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    reconciler.inventory.apply('file=.', { upserts: [app], removed: [], complete: false, learnedAt: 0 });
    await pass(false);
    const { user, system } = process.cpuUsage(before);
    if (round < WARM_UP) continue;
    cpu.push((user + system) / 1e3);
    walls.push(performance.now() - startedAt);
  }
  const before = process.cpuUsage();
  await pass(true);
  const resync = process.cpuUsage(before);
  kernel.requests = [];
  const used = heap();
  const inKernel = await kernelSize();
  return {
    vips,
    start: { wall, stretch, stretchCpu },
    change: {
      cpu: cpu.reduce((sum, each) => sum + each, 0) / cpu.length,
      p50: quantile(walls, 0.5),
      p99: quantile(walls, 0.99),
    },
    resync: (resync.user + resync.system) / 1e3,
    resident: process.memoryUsage.rss() / 1e6,
    kernel: inKernel / 1e6,
    perBackend: (used - empty - inKernel) / (vips * BACKENDS),
  };
}

async function pass(full: boolean): Promise<void> {
  // It keeps what it was asked.
  kernel.requests = [];
  const status = await reconciler.pass({ full, complete: true, changesSince: [], gone: [] });
  await board.prepare(status);
  for (const observer of [board, metrics]) observer.passed(status);
  if (status.error !== null || status.failures.length > 0) throw new Error(status.error ?? 'a step failed');
}

function read(index: number, moved: number): App {
  // As text, since strings that are put together take more memory than those that are read.
  const text = JSON.stringify(marathonApp(index, BACKENDS, vips / APPS_PER_HOST - FEWER_HOSTS, moved));
  const json = appSchema.parse(JSON.parse(text));
  return convertApp(json, { framework: 'marathon', agentAddress: (host: string) => host } as never);
}

function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What the kernel in memory holds; it is emptied for that, so this comes last. */
async function kernelSize(): Promise<number> {
  const before = heap();
  await client.flush();
  return before - heap();
}
