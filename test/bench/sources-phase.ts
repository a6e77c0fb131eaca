/**
 * The other processes of sources-bench; each answers its parent with one message.
 *
 *   serve mesos|kubernetes KUBECONFIG             a cluster
 *   follow mesos|kubernetes URL DIRECTORY [--in-memory]   a controller that starts and follows it
 *   parse mesos|kubernetes URL                    a bare `JSON.parse` of the same bytes
 */
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { resolveConfig } from '../../controller/config/config.ts';
import { Reconciler } from '../../controller/loop/reconciler.ts';
import { run, type WakeReason } from '../../controller/loop/run.ts';
import { createMetrics } from '../../controller/metrics/metrics.ts';
import type { PassStatus } from '../../controller/pass-status.ts';
import type { AppSource, IpvsTable, Log, Observer } from '../../controller/ports.ts';
import { createDnsResolver } from '../../controller/source/dns-resolver.ts';
import { kubernetesSource, openKubernetes } from '../../controller/source/kubernetes/source.ts';
import { createMesosSource } from '../../controller/source/mesos/source.ts';
import { createStatusBoard } from '../../controller/status/board.ts';
import { createHistory } from '../../controller/status/history.ts';
import { Latch, systemClock } from '../../controller/time.ts';
import { portsOf, rulesOf } from './parts.ts';
import { serveKubernetes, serveMesos } from './sources-servers.ts';
import { longest, type Stall, StallWatch } from './stalls.ts';

export interface Followed {
  /** As the stalls count. */
  readonly begun: number;
  /** Milliseconds from the start of the source to its first word, and to the end of the pass that left nothing to do. */
  readonly told: number;
  readonly done: number;
  readonly passes: number;
  readonly services: number;
  readonly backends: number;
  /** Longest stretch that ended before the first word, and of the others. */
  readonly reading: Stall;
  readonly passing: Stall;
  /** Milliseconds of the passes: in one go, and waiting for the kernel. */
  readonly observation: number;
  readonly writes: number;
  readonly pass: number;
  /** Resident, in MB, now and at its highest. */
  readonly memory: number;
  readonly highest: number;
}

export interface Parsed {
  readonly bytes: number;
  /** Milliseconds, in which nothing else can happen. */
  readonly parse: number;
  readonly highest: number;
}

const [role, kind = '', where = '', directory = ''] = process.argv.slice(2);
if (role === 'serve') process.send?.(kind === 'mesos' ? await serveMesos() : await serveKubernetes(where));
else {
  process.send?.(role === 'parse' ? await parse() : await follow());
  process.disconnect();
}

async function openSource(log: Log): Promise<AppSource> {
  const clock = systemClock;
  // As wire/kubernetes.ts has it: what talks to an API server is loaded before the source starts.
  if (kind === 'kubernetes') return kubernetesSource(await openKubernetes({ context: '' }), { context: '' });
  return createMesosSource({ where, resolver: createDnsResolver({ clock, log }), clock });
}

async function follow(): Promise<Followed> {
  const client = process.argv.includes('--in-memory')
    ? await IpvsClient.open({ transport: new FakeKernel().transport() })
    : await IpvsClient.open();
  const config = resolveConfig('run', [], { ...process.env, MARATHON_IPVS_SOURCE: 'mesos=http://localhost' });
  const ports = portsOf(client, directory);
  const spent = { observation: 0, writes: 0, pass: 0 };
  const table = timedTable(ports.table, spent);
  const reconciler = new Reconciler({ ...ports, table }, rulesOf(config));
  const source = await openSource(ports.log);

  const stop = new AbortController();
  let told = Number.NaN;
  let passes = 0;
  let last: PassStatus | undefined;
  const observed = { sources: [source.name], dryRun: false, clock: systemClock };
  const board = createStatusBoard({ ...observed, history: createHistory() });
  const metrics = createMetrics(observed, { board });
  const observer: Observer = {
    ...board,
    sourceRead: (...given) => {
      if (Number.isNaN(told)) told = performance.now();
      for (const each of [board, metrics]) each.sourceRead(...given);
    },
    sourceFailed: (_: string, error: Error) => process.stderr.write(`${error.message}\n`),
    passed: (pass: PassStatus) => {
      for (const each of [board, metrics]) each.passed(pass);
      passes += 1;
      last = pass;
      spent.pass += pass.finishedAt - pass.startedAt;
      const { failures, waiting, error } = pass;
      if (failures.length + waiting === 0 && error === null) stop.abort();
      else process.stderr.write(`a pass left something to do: ${error ?? failures[0]?.message}\n`);
    },
  };
  const options = {
    resyncMs: config.resyncSeconds * 1_000,
    settleMs: config.settleMs,
    restoreAfterMs: 5_000,
    dryRun: false,
  };
  const watch = new StallWatch();
  const begun = performance.now();
  const running = run(
    { ...ports, table, sources: [source], observer },
    reconciler,
    options,
    new Latch<WakeReason>(),
    stop.signal,
  );
  const ended = new Promise<number>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(performance.now()));
  });
  const done = await ended;
  const stalls = watch.stop();
  const memory = process.memoryUsage.rss() / 1e6;
  const highest = highestMemory();
  await running;
  const services = [...(last?.observed ?? [])].filter(([key]) => last?.plan.owned.has(key));
  client.close();
  return {
    ...spent,
    begun,
    told: told - begun,
    done: done - begun,
    passes,
    services: services.length,
    backends: services.reduce((sum, [, { backends }]) => sum + backends.size, 0),
    reading: longest(stalls.filter(({ end }) => end <= told)),
    passing: longest(stalls.filter(({ end }) => end > told)),
    memory,
    highest,
  };
}

function timedTable(table: IpvsTable, spent: { observation: number; writes: number }): IpvsTable {
  return {
    async observe(only) {
      const begun = performance.now();
      const observed = await table.observe(only);
      spent.observation += performance.now() - begun;
      return observed;
    },
    observeInBackground: (keep) => table.observeInBackground(keep),
    async apply(steps) {
      const begun = performance.now();
      const failures = await table.apply(steps);
      spent.writes += performance.now() - begun;
      return failures;
    },
    close: () => table.close(),
  };
}

async function parse(): Promise<Parsed> {
  const answers =
    kind === 'mesos'
      ? [await fetch(`${where}/api/v1`, { method: 'POST', body: JSON.stringify({ type: 'GET_STATE' }) })]
      : await Promise.all([
          fetch(`${where}/apis/marathon-ipvs.io/v1alpha1/marathonapps`),
          fetch(`${where}/apis/discovery.k8s.io/v1/endpointslices`),
        ]);
  const bodies = await Promise.all(answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())));
  const begun = performance.now();
  for (const body of bodies) JSON.parse(body.toString());
  const took = performance.now() - begun;
  const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
  return { bytes, parse: took, highest: highestMemory() };
}

function highestMemory(): number {
  return (process.resourceUsage().maxRSS * 1_024) / 1e6;
}
