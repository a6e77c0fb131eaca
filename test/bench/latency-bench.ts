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
 * `--in-memory` runs outside the lab, where system calls take as long as they do: with an IPVS kernel in the controller's
 * memory, which the same process witnesses.
 */
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
 * `--in-memory` runs outside the lab, where system calls take as long as they do: with an IPVS kernel in the controller's
 * memory, which the same process witnesses.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { marathonApp } from './apps.ts';
import { quantile, Report } from './report.ts';
import { RunningController } from './running-controller.ts';
import type { Seen, Watch } from './witness.ts';

const VIPS = 1_000;
const INSTANCES = 5;
const AGENTS = 50;
const CHANGES_PER_SECOND = 20;
const SECONDS = 60;
/** The engine compiles what runs often; a controller runs for months. */
const WARM_UP_SECONDS = 20;
/** How many apps change in turn. */
const GROUP = 100;
const LIMIT_SECONDS = 0.1;
const HISTOGRAM = 'marathon_ipvs_change_latency_seconds';

/** What happens to an app, how many of its instances are in rotation then, and the event that tells of it. */
interface Change {
  readonly event: string;
  readonly inRotation: number;
  make(marathon: TestMarathon, app: string, task: string): Promise<unknown> | undefined;
}

const CHANGES: readonly Change[] = [
  {
    event: 'instance_health_changed_event',
    inRotation: INSTANCES + 1,
    make: (marathon, id) => marathon.updateApp(id, { instances: INSTANCES + 1 }),
  },
  {
    event: 'instance_health_changed_event',
    inRotation: INSTANCES,
    make: (marathon, _, task) => void marathon.setHealth(task, false),
  },
  {
    event: 'instance_health_changed_event',
    inRotation: INSTANCES + 1,
    make: (marathon, _, task) => void marathon.setHealth(task, true),
  },
  {
    event: 'status_update_event',
    inRotation: INSTANCES,
    make: (marathon, id) => marathon.updateApp(id, { instances: INSTANCES }),
  },
];

const directory = mkdtempSync(join(tmpdir(), 'latency-bench-'));
const report = new Report();
const marathon = await startMarathon({
  processes: false,
  agents: Array.from({ length: AGENTS }, (_, index) => ({ hostname: `10.0.${index >> 8}.${index & 255}` })),
});
const tasks = await deploy(marathon);
const inMemory = process.argv.includes('--in-memory');
const witness = fork(
  join(import.meta.dirname, 'latency-phase.ts'),
  inMemory ? ['memory', marathon.url, directory] : ['kernel'],
  { execArgv: ['--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'] },
);
const controller = inMemory
  ? RunningController.of(witness)
  : RunningController.start(directory, ['--source', `marathon=${marathon.url}`]);
try {
  await Promise.all([once(witness, 'message'), controller.ready()]);

  const addresses = await controller.addresses();
  await changes(0, WARM_UP_SECONDS * CHANGES_PER_SECOND, addresses);
  const before = await histogram();
  const cpu = controller.cpuSeconds();
  const latencies = await changes(
    WARM_UP_SECONDS * CHANGES_PER_SECOND,
    SECONDS * CHANGES_PER_SECOND,
    addresses,
  );
  const used = controller.cpuSeconds() - cpu;
  const after = await histogram();
  tell(latencies, { count: after.count - before.count, within: after.within - before.within }, used);
} finally {
  if (witness.connected) witness.disconnect();
  await controller.stop();
  await marathon.close();
  rmSync(directory, { recursive: true, force: true });
}
report.print();

/** Resolves with the first task of each app. */
async function deploy(onto: TestMarathon): Promise<ReadonlyMap<string, string>> {
  const first = new Map<string, string>();
  for (let index = 0; index < VIPS; index += 1) {
    const { id, cmd, portDefinitions, healthChecks } = marathonApp(index, 0, AGENTS);
    const ports = portDefinitions.map((port) => ({ ...port, port: 0 }));
    await onto.addApp({ id, cmd, instances: INSTANCES, portDefinitions: ports, healthChecks });
  }
  for (const { id, appId } of onto.tasks())
    if (!first.has(String(appId))) first.set(String(appId), String(id));
  return first;
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

/** Makes `count` changes at the stated rate; resolves with the milliseconds that the witness counts for each. */
async function changes(
  from: number,
  count: number,
  addresses: ReadonlyMap<string, string>,
): Promise<readonly number[]> {
  const seen = new Map<number, number>();
  const listen = ({ id, at }: Seen) => seen.set(id, at);
  witness.on('message', listen);
  const sent = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await sleep((index * 1_000) / CHANGES_PER_SECOND);
      return await changed(from + index, addresses);
    }),
  );
  for (let waited = 0; seen.size < count && waited < 300; waited += 1) await sleep(100);
  witness.off('message', listen);
  if (seen.size < count) throw new Error(`${count - seen.size} of ${count} changes never reached the kernel`);
  return sent.map((at, index) => (seen.get(from + index) ?? Number.NaN) - at);
}

/** Makes a change, which the witness watches; resolves with the moment at which Marathon told of it. */
async function changed(id: number, addresses: ReadonlyMap<string, string>): Promise<number> {
  // The apps of a group in turn, then again with the next change: so an app has seconds between two of them.
  const round = Math.floor(id / GROUP);
  const index = (Math.floor(round / CHANGES.length) * GROUP + (id % GROUP)) % VIPS;
  const change = CHANGES[round % CHANGES.length];
  const { id: app } = marathonApp(index, 0, AGENTS);
  const address = addresses.get(`service-${index}`);
  if (change === undefined || address === undefined) throw new Error(`no VIP for ${app}`);
  watch(witness, { id, address, port: 80, inRotation: change.inRotation });
  const before = marathon.events.length;
  await change.make(marathon, app, tasks.get(app) ?? '');
  const told = marathon.events
    .slice(before)
    .find(({ eventType, appId, runSpecId }) => eventType === change.event && (appId ?? runSpecId) === app);
  if (told === undefined) throw new Error(`Marathon sent no ${change.event} for ${app}`);
  return Date.parse(told.timestamp);
}

function watch(by: ChildProcess, what: Watch): void {
  by.send(what);
}

function tell(latencies: readonly number[], { count, within }: Histogram, cpu: number): void {
  const at = (share: number) => quantile(latencies, share);
  const spread = `p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, longest ${at(1)} ms, of ${latencies.length}`;
  const most = LIMIT_SECONDS * 1_000;
  report.add(
    '99th percentile from event to kernel, witness, ms',
    at(0.99),
    { is: 'at most', ratio: most },
    spread,
  );
  const share = within / count;
  report.add(
    `share of events within ${most} ms, the controller's histogram`,
    share,
    { is: 'at least', ratio: 0.99 },
    `${within} of ${count}`,
  );
  report.add('processor time of the controller, share of one', cpu / SECONDS, null, `${cpu.toFixed(1)} s`);
}
