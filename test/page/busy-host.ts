/** A host on which much goes on at once: every rule, 200 backends, long names; served as `run` serves it. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { startHttp } from '../../controller/api/http.ts';
import type { Explain } from '../../controller/api/why.ts';
import { createMetrics } from '../../controller/metrics/metrics.ts';
import type { KernelReading, ServiceCounters } from '../../controller/model/counters.ts';
import type { Ejection, EjectionReport, Target } from '../../controller/model/ejection.ts';
import { endpointKey } from '../../controller/model/endpoint.ts';
import type { Table } from '../../controller/model/kernel.ts';
import type { Backend, Service } from '../../controller/model/service.ts';
import type { PassStatus } from '../../controller/pass-status.ts';
import type { Decision } from '../../controller/plan/decision.ts';
import { serviceIn } from '../../controller/plan/nearest.ts';
import { createStatusBoard } from '../../controller/status/board.ts';
import { createHistory } from '../../controller/status/history.ts';
import { SpreadWatch } from '../../controller/status/spread-watch.ts';
import { systemClock } from '../../controller/time.ts';
import { passOf } from '../controller/status/passes.ts';
import { readingOf, traffic } from '../controller/status/status-world.ts';
import { backend, service } from '../support/builders.ts';
import { desiredOf, observedBackend, observedService, tableOf } from '../support/observed.ts';
import type { PageHost } from './host.ts';

/** Its VIPs, by what is odd about them. */
export const LARGE = 'tcp/11.0.0.1:8443';
export const UNEVEN = 'tcp/11.0.0.2:80';
export const FALLEN = 'tcp/[fd01:c::1]:5432';
export const LEAVING = 'udp/11.0.0.4:53';

export const LONG_NAME = 'checkout-payment-gateway-with-a-very-long-name.team-billing.production';

/** Serves it, with this answer to `why`. Its first connections are counted from the start on. */
export async function openBusyHost(explain: Explain): Promise<PageHost> {
  const now = systemClock.monotonic();
  const options = { sources: ['marathon=http://10.0.0.9:8080'], dryRun: false, clock: systemClock };
  const history = createHistory();
  let got = 0;
  const counters = {
    read: async (): Promise<KernelReading> => {
      got += 200;
      const reading = readingOf(counted(got), now) as { readonly kernel: KernelReading };
      return reading.kernel;
    },
    close: () => undefined,
  };
  const spread = new SpreadWatch(counters, () => board.current().vips, systemClock);
  const board = createStatusBoard({
    ...{ ...options, history, spreads: () => spread.spreads },
    ejection: () => ejectionOf(now),
  });
  board.sourceRead('marathon=http://10.0.0.9:8080', { apps: 4, complete: true, fromDiskOf: null });
  board.passed({ ...busyPass(now - 600_000), decisions: new Map() });
  board.passed(busyPass(now - 1));
  await spread.read([]);
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const server = await startHttp({
    listen: { address: '127.0.0.1', port: await freePort() },
    ...{ status: board.current, metrics: createMetrics(options), log, history, counters: spread, explain },
  });
  return server;
}

const nothing = () => undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function ejectionOf(since: number): EjectionReport {
  const target: Target = {
    ...{ key: 'tcp/10.0.0.1:31000', protocol: 'tcp', address: '10.0.0.1', port: 31_000 },
    ...{ agent: '10.0.0.1', task: 'web.1' },
  };
  const ejection: Ejection = {
    ...{ target, since, cause: 'timed out', nextProbe: since + 40_000 },
    reason: '7 connections, no reply; connect timed out',
  };
  return {
    ...{ mode: 'on', suspects: 1, behind: null, returned: 0, ejections: new Map([[target.key, ejection]]) },
    blind: { since, failing: 3, answering: 2 },
    ejected: { 'timed out': 1, unreachable: 0, refused: 0, agent: 0 },
    probes: { connected: 0, 'timed out': 2, unreachable: 0, refused: 0, silent: 0, unknown: 0 },
  };
}

const HOST = { zone: 'europe-west1-b', addresses: new Set<string>() };
const task = (id: string, i: number) =>
  `${id}.instance-8f3a61c4-5b1d-11ee-9f0c-0242ac11000${i % 10}._app.${i + 1}`;

/** 200 backends of the host's zone, and twelve of another one. */
const ALL = service(
  '11.0.0.1',
  8443,
  Array.from({ length: 212 }, (_, i) =>
    backend(`10.${i >> 6}.0.${(i & 63) + 1}`, 31_000 + i, {
      app: '/production/team-billing/checkout-payment-gateway-with-a-very-long-name',
      task: task('production_team-billing_checkout-payment-gateway-with-a-very-long-name', i),
      place: { zone: i < 200 ? 'europe-west1-b' : 'europe-west1-c' },
      ...oddity(i),
    }),
  ),
  {
    ...{ name: LONG_NAME, framework: 'marathon', fqdn: `${LONG_NAME}.marathon.l4lb.thisdcos.directory` },
    apps: ['/production/team-billing/checkout-payment-gateway-with-a-very-long-name'],
    ...{ slowStartSeconds: 30, trafficDistribution: 'PreferSameZone' },
  },
);

/** Weights of a VIP with slow start are multiplied by 100. */
function oddity(i: number): Partial<Backend> {
  if (i < 2) return { weight: 0, reason: 'ejected: 7 connections, no reply; connect timed out' };
  if (i < 5) return { weight: 40, reason: 'slow start: 40 %' };
  if (i === 5) return { weight: 0, reason: 'health check failed' };
  if (i === 6) return { weight: 100, reason: 'running, healthy' };
  return { weight: 100, reason: 'running, healthy', upperThreshold: i === 7 ? 2_000 : 0 };
}

const WEB = service(
  '11.0.0.2',
  80,
  [1, 2, 3].map((i) => backend(`10.0.1.${i}`, 31_000, { app: '/web' })),
  {
    name: 'web',
    apps: ['/web'],
  },
);
const FAR = service(
  'fd01:c::1',
  5432,
  [1, 2].map((i) =>
    backend(`fd00:dead:beef:cafe:1234:5678:9abc:${i}`, 5432, {
      app: '/database',
      place: { zone: 'elsewhere' },
    }),
  ),
  { family: 'ipv6', name: 'database', apps: ['/database'], trafficDistribution: 'PreferSameZone' },
);
const DNS = service('11.0.0.4', 53, [backend('10.0.2.1', 53, { app: '/resolver' })], {
  ...{ protocol: 'udp', name: 'resolver', apps: ['/resolver'] },
});

function busyPass(finishedAt: number): PassStatus {
  const services = [serviceIn('zone', ALL, HOST), WEB, serviceIn('all', FAR, HOST), DNS];
  const desired = desiredOf(...services);
  const observed: Table = tableOf(...services.map((one) => observedService(one)), leaving());
  const held = new Set(['10.0.1.3:31000']);
  const decisions = new Map([
    [LARGE, decisionsOf(services[0] as Service, finishedAt)],
    [UNEVEN, new Map<string | null, Decision>([['10.0.1.3:31000', decision('mass removal', finishedAt)]])],
    [FALLEN, new Map<string | null, Decision>([[null, decision('nearness', finishedAt)]])],
    [LEAVING, new Map<string | null, Decision>([['10.0.2.1:53', decision('refused', finishedAt)]])],
  ]);
  const removal = {
    ...{ reasons: [['missing', 1]] as const, vips: 0, ofVips: 4, backends: 120, ofBackends: 206 },
    ...{
      endpoints: held,
      services: new Set([UNEVEN]),
      since: finishedAt - 20_000,
      until: finishedAt + 40_000,
    },
  };
  const drains = new Map([[LARGE, new Map([['10.9.9.9:31999', finishedAt + 240_000]])]]);
  return passOf({
    desired,
    before: observed,
    observed,
    over: {
      ...{ startedAt: finishedAt - 12, finishedAt, decisions, drains, held: removal, slowStarts: 3 },
      refused: [
        {
          address: '10.0.2.1',
          since: finishedAt,
          endsAt: finishedAt + 60_000,
          reason: 'an address of this host',
        },
      ],
    },
  });
}

/** The large service, with a backend that drains. */
function leaving() {
  const large = observedService(serviceIn('zone', ALL, HOST));
  const gone = { ...backend('10.9.9.9', 31_999), weight: 0 };
  const backends = new Map(large.backends).set(
    endpointKey(gone),
    observedBackend(gone, { activeConnections: 3 }),
  );
  return { ...large, backends };
}

function decisionsOf({ backends }: Service, now: number): Map<string | null, Decision> {
  const entries = [...backends.keys()]
    .slice(0, 5)
    .map((key, i): [string, Decision] => [key, decision(i < 2 ? 'ejected' : 'slow start', now)]);
  return new Map([...entries, ['10.9.9.9:31999', decision('draining', now)]]);
}

const ENDS: Partial<Record<Decision['rule'], string>> = {
  ejected: 'two probes in a row find that it answers',
  'slow start': 'it has its full weight',
  'mass removal': 'a source names it, or the sources, read again, say the same',
  nearness: 'they have been so for 30 s',
  refused: 'the kernel accepts its address; it is retried',
  draining: 'its connections have ended',
};

function decision(rule: Decision['rule'], now: number): Decision {
  const reason =
    rule === 'nearness' ? { reason: 'backends in the zone of this host are in rotation again' } : {};
  return { rule, since: now - 20_000, ...reason, endsWhen: ENDS[rule] ?? '', endsAt: now + 40_000 };
}

/** One backend of a VIP gets nearly everything. */
function counted(got: number): ReadonlyMap<string, ServiceCounters> {
  const counts = (connections: number, open: number) => ({
    ...{ activeConnections: open, inactiveConnections: open * 3 },
    traffic: {
      ...traffic,
      connections,
      inBytes: connections * 1_234_567,
      outBytes: connections * 98_765_432,
    },
  });
  const of = (services: Service, share: (i: number) => number): ServiceCounters => {
    const backends = [...services.backends.keys()].map((key, i) => [key, counts(share(i), i)] as const);
    const connections = backends.reduce((sum, [, each]) => sum + each.traffic.connections, 0);
    return { traffic: { ...traffic, connections, connectionRate: 1_234 }, backends: new Map(backends) };
  };
  return new Map([
    [LARGE, of(ALL, (i) => got * (i > 1 && i < 5 ? 0.4 : 1) + (i % 7))],
    [UNEVEN, of(WEB, (i) => (i === 0 ? got * 9 : got))],
  ]);
}
