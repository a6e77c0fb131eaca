/**
 * Counts what following costs the servers, with many sources in one process: each host by itself at Marathon, and
 * through a relay at the Kubernetes API. The figures in docs/scale.md are from here. What the process itself needs is
 * told too, since it is what limits the number of hosts: servers, relay and all hosts share one thread and one heap.
 *
 *     npm run scale -- --hosts 10,50 --apps 1000 --instances 10 --changes 20
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { openAccess, type Setback } from '../../controller/kubernetes/access.ts';
import { createKubernetesClient, type KubernetesClient } from '../../controller/kubernetes/client.ts';
import type { Delta } from '../../controller/model/delta.ts';
import type { AppSource, Log, Resolver, SourceListener } from '../../controller/ports.ts';
import { createRelayHealth } from '../../controller/relay/health.ts';
import { runRelay } from '../../controller/relay/relay.ts';
import { kubernetesSource } from '../../controller/source/kubernetes/source.ts';
import { createMarathonSource } from '../../controller/source/marathon/source.ts';
import { systemClock } from '../../controller/time.ts';
import { startKubernetes, type TestKubernetes } from '../support/kubernetes/start-kubernetes.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1,10,50' },
    apps: { type: 'string', default: '200' },
    instances: { type: 'string', default: '10' },
    changes: { type: 'string', default: '10' },
  },
});
const APPS = Number(values.apps);
const INSTANCES = Number(values.instances);
const CHANGES = Number(values.changes);

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const resolver: Resolver = { resolve: async () => null };

/** Passes connections on and counts what the server sends. */
async function counted(server: string): Promise<{ url: string; bytes: () => number; close(): void }> {
  const target = new URL(server);
  let bytes = 0;
  const proxy = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    upstream.on('data', (chunk) => {
      bytes += chunk.length;
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, bytes: () => bytes, close: () => proxy.close() };
}

/** A host: what it was told last, and when it heard of a port. */
class Host implements SourceListener {
  told = 0;
  readonly #marks = new Map<string, number>();

  changed({ upserts }: Delta): void {
    this.told += 1;
    for (const app of upserts) {
      const mark = app.ports[0]?.labels['MARK'];
      if (mark !== undefined && app.tasks.length > 0 && !this.#marks.has(mark))
        this.#marks.set(mark, performance.now());
    }
  }

  failed(error: Error): void {
    process.stderr.write(`${error.message}\n`);
  }

  heard(mark: string): number | undefined {
    return this.#marks.get(mark);
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 300_000; !holds(); await systemClock.sleep(5)) {
    if (Date.now() > end) throw new Error('waited in vain');
  }
}

interface Cost {
  readonly calls: number;
  readonly bytes: number;
}

interface Measured {
  readonly start: Cost;
  readonly change: Cost;
  /** Milliseconds from the change at Marathon to the last host that heard of it: median and worst. */
  readonly latency: readonly [number, number];
  readonly needs: Needs;
}

/** What this process needed for it, servers included. */
interface Needs {
  readonly startCpuSeconds: number;
  readonly changeCpuSeconds: number;
  readonly megabytes: number;
  /** Both ends of each connection are in this process, and those of the counter in between. */
  readonly sockets: number;
}

const cpuSeconds = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

const definition = (i: number, mark: string) => ({
  id: `/group-${i % 20}/app-${i}`,
  instances: INSTANCES,
  container: { type: 'DOCKER', docker: { image: 'registry.example.com/app:1.2.3' } },
  env: { JAVA_OPTS: '-Xmx512m', DATABASE: `db-${i}.marathon.l4lb.thisdcos.directory:5432` },
  portDefinitions: [
    { port: 0, protocol: 'tcp', name: 'http', labels: { VIP_0: `/app-${i}:80`, MARK: mark } },
  ],
});

/** Follows with so many hosts; `cost` counts at the server that they ask. */
async function measure(
  hosts: number,
  marathon: TestMarathon,
  round: string,
  source: () => AppSource,
  cost: () => Cost,
): Promise<Measured> {
  const stop = new AbortController();
  const listeners = Array.from({ length: hosts }, () => new Host());
  const from = cost();
  const cpu = cpuSeconds();
  const following = listeners.map((host) => source().follow(host, stop.signal));
  await until(() => listeners.every(({ told }) => told > 0));
  await systemClock.sleep(2_000);
  const started = cost();
  const cpuStarted = cpuSeconds();

  const latencies: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    const mark = `${round}-${change}`;
    const begun = performance.now();
    await marathon.updateApp(`/group-${change % 20}/app-${change}`, definition(change, mark));
    await until(() => listeners.every((host) => host.heard(mark) !== undefined));
    latencies.push(Math.max(...listeners.map((host) => host.heard(mark) ?? 0)) - begun);
    await systemClock.sleep(500);
  }
  const ended = cost();
  const needs: Needs = {
    startCpuSeconds: cpuStarted - cpu,
    changeCpuSeconds: (cpuSeconds() - cpuStarted) / CHANGES,
    megabytes: process.memoryUsage().rss / 1e6,
    sockets: sockets(),
  };
  stop.abort();
  await Promise.all(following);
  latencies.sort((a, b) => a - b);
  return {
    start: difference(started, from),
    change: {
      calls: (ended.calls - started.calls) / CHANGES,
      bytes: (ended.bytes - started.bytes) / CHANGES,
    },
    latency: [latencies[Math.floor(latencies.length / 2)] ?? 0, latencies.at(-1) ?? 0],
    needs,
  };
}

function difference(a: Cost, b: Cost): Cost {
  return { calls: a.calls - b.calls, bytes: a.bytes - b.bytes };
}

async function withRelay<T>(
  marathon: TestMarathon,
  work: (kubernetes: TestKubernetes, client: (url: string) => Promise<KubernetesClient>) => Promise<T>,
): Promise<T> {
  const kubernetes = await startKubernetes();
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-scale-'));
  const clientAt = async (url: string) => {
    process.env['KUBECONFIG'] = join(directory, 'config');
    kubernetes.writeKubeconfig(process.env['KUBECONFIG']);
    const access = await openAccess(null);
    const at = {
      server: url,
      namespace: access.namespace,
      contextKey: () => access.contextKey(),
      authorize: async (last: Setback | null) => ({ ...(await access.authorize(last)), server: url }),
    };
    return createKubernetesClient({ access: at, clock: systemClock });
  };
  const crd = parse(readFileSync(new URL('../../deploy/kubernetes/base/crd.yaml', import.meta.url), 'utf8'));
  const own = await clientAt(kubernetes.url);
  const stop = new AbortController();
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions`;
  await own.call('POST', path, { body: crd }, stop.signal);
  const source = createMarathonSource({ where: marathon.url, resolver, log: silent });
  const { observer } = createRelayHealth([source.name], systemClock, 600_000);
  const options = {
    client: own,
    sources: [source],
    clock: systemClock,
    log: silent,
    observer,
    namespace: 'default',
  };
  const relaying = runRelay(
    { ...options, name: 'default', identity: 'me', settleMs: 50, random: Math.random },
    stop.signal,
  );
  const published = () =>
    kubernetes.operations.storage
      .all('discovery.k8s.io/endpointslices')
      .reduce((sum, { endpoints }) => sum + (Array.isArray(endpoints) ? endpoints.length : 0), 0);
  await until(() => published() >= APPS * INSTANCES);
  await systemClock.sleep(2_000);
  try {
    return await work(kubernetes, clientAt);
  } finally {
    stop.abort();
    await relaying;
    await kubernetes.close();
    rmSync(directory, { recursive: true });
  }
}

const marathon = await startMarathon({
  processes: false,
  agents: Array.from({ length: 50 }, (_, i) => ({ hostname: `10.0.0.${i + 1}` })),
});
for (let i = 0; i < APPS; i += 1) await marathon.addApp(definition(i, 'start'));
process.stdout.write(`${APPS} apps of ${INSTANCES} tasks; what the servers sent, for all hosts together\n`);

const rows: string[] = [];
const row = (way: string, hosts: number, { start, change, latency, needs }: Measured) =>
  rows.push(
    [
      way,
      hosts,
      start.calls,
      mega(start.bytes),
      change.calls.toFixed(1),
      kilo(change.bytes),
      latency[0].toFixed(0),
      latency[1].toFixed(0),
      needs.startCpuSeconds.toFixed(1),
      needs.changeCpuSeconds.toFixed(2),
      needs.megabytes.toFixed(0),
      needs.sockets,
    ].join(' | '),
  );
const mega = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
const kilo = (bytes: number) => `${(bytes / 1e3).toFixed(1)} kB`;

for (const hosts of values.hosts.split(',').map(Number)) {
  const proxy = await counted(marathon.url);
  const source = () => createMarathonSource({ where: proxy.url, resolver, log: silent });
  row(
    'Marathon',
    hosts,
    await measure(hosts, marathon, `direct-${hosts}`, source, () => ({
      calls: marathon.requests.length,
      bytes: proxy.bytes(),
    })),
  );
  proxy.close();
}
await withRelay(marathon, async (kubernetes, clientAt) => {
  for (const hosts of values.hosts.split(',').map(Number)) {
    const proxy = await counted(kubernetes.url);
    const client = await clientAt(proxy.url);
    const source = () => kubernetesSource(client, { context: '' });
    const asked = marathon.requests.length;
    const reads = () => kubernetes.requests.filter(({ method }) => method === 'GET').length;
    row(
      'relay',
      hosts,
      await measure(hosts, marathon, `relay-${hosts}`, source, () => ({
        calls: reads(),
        bytes: proxy.bytes(),
      })),
    );
    rows.push(`  calls to Marathon meanwhile, of the relay: ${marathon.requests.length - asked}`);
    proxy.close();
  }
});
process.stdout.write(
  `by | hosts | calls to start | bytes | calls a change | bytes | median ms | worst ms | CPU s to start | CPU s a change | MB | sockets\n${rows.join('\n')}\n`,
);
await marathon.close();
process.exit(0);
