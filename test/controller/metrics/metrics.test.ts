import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { DnsMetrics } from '../../../controller/metrics/dns.ts';
import { createMetrics, type Metrics } from '../../../controller/metrics/metrics.ts';
import type { IpvsTables } from '../../../controller/model/counters.ts';
import type { EjectionReport } from '../../../controller/model/ejection.ts';
import type { NamespacesReport } from '../../../controller/netns/report.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { createRelayHealth, type RelayHealth } from '../../../controller/relay/health.ts';
import { backend, service, snapshot, web } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { World } from '../../support/world.ts';
import { accessOf, renewedOf, tokenOf } from '../api/serving.ts';
import { DB, passOf, settled, WEB } from '../status/passes.ts';

const SOURCE = 'marathon=http://m:8080';
const whole = { apps: 3, complete: true, fromDiskOf: null };

let now: number;
let metrics: Metrics;

function metricsOf(dryRun = false): Metrics {
  return createMetrics({ sources: [SOURCE], dryRun, clock: { epoch: () => now, monotonic: () => now } });
}

beforeEach(() => {
  now = 1_000_000;
  metrics = metricsOf();
});

/** One that has a source to tell of. */
function ledRelay(): RelayHealth {
  const relay = createRelayHealth([SOURCE], new World().clock, 60_000);
  relay.observer.elected(true);
  return relay;
}

/** The value of one series, as it is printed; undefined when there is none. */
async function metric(series: string): Promise<number | undefined> {
  const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`marathon_ipvs_${series} `));
  const text = line?.slice(line.lastIndexOf(' ') + 1);
  return text === undefined ? undefined : text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
}

test.each([
  'passes_total{kind="full",result="error"}',
  'passes_total{kind="changes",result="converged"}',
  'pass_duration_seconds_count{kind="full"}',
  'steps_total{op="add-service"}',
  'step_failures_total{op="remove-backend"}',
  'drift_repaired_total{field="weight"}',
  'reachability_repaired_total',
  'change_latency_seconds_count',
  `source_failures_total{source="${SOURCE}"}`,
  `source_reads_total{source="${SOURCE}"}`,
  `source_up{source="${SOURCE}"}`,
  'last_pass_timestamp_seconds',
])('%s exists and is 0 from the start', async (series) => {
  expect(await metric(series)).toBe(0);
});

test.each(['vips', 'backends', 'backends_in_rotation', 'conflicts', 'rejected', 'vips_unsettled'])(
  '%s is no number before the first pass: nobody knows it yet',
  async (series) => {
    expect(await metric(series)).toBeNaN();
  },
);

test('what passes do is counted', async () => {
  const world = new World();
  const controller = world.start();
  world.refuse = (step) => (step.op === 'add-backend' && step.backend.port === 31_001 ? 'refused' : null);
  const apps = snapshot(
    web('/a', { VIP_0: 'a:80' }, '10.0.0.1:31000'),
    web('/b', { VIP_0: 'b:80' }, '10.0.0.2:31001'),
  );
  metrics.passed(await controller.change(apps));
  // The second finds the failed step waiting for its time: neither tried nor made.
  metrics.passed(await controller.change(apps));
  expect(await metric('steps_total{op="add-service"}')).toBe(2);
  expect(await metric('steps_total{op="add-backend"}')).toBe(1);
  expect(await metric('step_failures_total{op="add-backend"}')).toBe(1);
  expect(await metric('vips_unsettled')).toBe(1);
});

test('a step that failed or was postponed is not counted', async () => {
  const waits = passOf({ desired: desiredOf(WEB, DB), before: settled(), observed: settled(WEB) });
  const failures = [{ step: '-A -t 11.0.0.2:5432 -s wlc', message: 'x' }];
  metrics.passed({ ...waits, failures });
  metrics.passed({ ...waits, waiting: 2 });
  expect(await metric('steps_total{op="add-service"}')).toBe(2);
  expect(await metric('step_failures_total{op="add-service"}')).toBe(1);
  expect(await metric('passes_total{kind="full",result="incomplete"}')).toBe(2);
});

test('a failed removal is not counted', async () => {
  metrics.passed(passOf({ before: settled(WEB, DB), observed: settled(WEB, DB) }));
  expect(await metric('steps_total{op="remove-service"}')).toBe(0);
});

test('nothing is counted in a dry run', async () => {
  metrics = metricsOf(true);
  metrics.passed(passOf({ before: settled(), observed: settled(), over: { changesSince: [now - 10] } }));
  expect(await metric('steps_total{op="add-service"}')).toBe(0);
  expect(await metric('change_latency_seconds_count')).toBe(0);
  expect(await metric('dry_run')).toBe(1);
  expect(await metric('vips_unsettled')).toBe(1);
});

test('every kind of step is counted by its name', async () => {
  const was = service('11.0.0.1', 80, [backend('10.0.0.1', 1), backend('10.0.0.2', 1, { weight: 0 })], {
    scheduler: 'rr',
  });
  const wanted = service('11.0.0.1', 80, [backend('10.0.0.2', 1), backend('10.0.0.3', 1)]);
  metrics.passed(passOf({ desired: desiredOf(wanted), before: settled(was, DB), observed: settled(wanted) }));
  for (const op of ['update-service', 'remove-service', 'add-backend', 'update-backend', 'remove-backend']) {
    expect([op, await metric(`steps_total{op="${op}"}`)]).toEqual([op, 1]);
  }
});

describe('latency from event to kernel', () => {
  const sum = 'change_latency_seconds_sum';
  const count = 'change_latency_seconds_count';
  const at = (over: Partial<PassStatus>) => passOf({ over: { finishedAt: 10_000, ...over } });

  test('is the time from the report of the source to the end of the pass', async () => {
    metrics.passed(at({ changesSince: [9_000, 9_500] }));
    expect(await metric(sum)).toBeCloseTo(1.5);
    expect(await metric(count)).toBe(2);
  });

  test('of a change in a failed pass lasts until a pass succeeds', async () => {
    metrics.passed(at({ changesSince: [9_000], error: 'no kernel' }));
    expect(await metric(count)).toBe(0);
    metrics.passed(at({ finishedAt: 70_000, changesSince: [] }));
    expect(await metric(sum)).toBeCloseTo(61);
  });

  test('is never negative, whatever the clock does', async () => {
    metrics.passed(at({ changesSince: [99_000], startedAt: 99_000 }));
    expect(await metric(sum)).toBe(0);
    expect(await metric('pass_duration_seconds_sum{kind="full"}')).toBe(0);
  });
});

test('repaired drift is counted by field', async () => {
  const drift = [
    { service: 'tcp/11.0.0.1:80', backend: null, field: 'scheduler', was: 'wlc', is: 'rr' },
    { service: 'tcp/11.0.0.2:5432', backend: null, field: 'removed', was: 'x', is: null },
  ];
  metrics.passed(passOf({ desired: desiredOf(WEB, DB), observed: settled(WEB), over: { drift } }));
  metrics.passed(passOf({ over: { drift, error: 'ledger' } }));
  expect(await metric('drift_repaired_total{field="scheduler"}')).toBe(1);
  expect(await metric('drift_repaired_total{field="removed"}')).toBe(0);
});

test('repairs of interface and routes are counted, within and between passes', async () => {
  metrics.passed(passOf({ over: { repaired: ['a', 'b'] } }));
  metrics.repaired(['c']);
  expect(await metric('reachability_repaired_total')).toBe(3);
});

test('a source is up from a successful read to the next failure, while its data age', async () => {
  expect(await metric(`source_data_age_seconds{source="${SOURCE}"}`)).toBe(Number.POSITIVE_INFINITY);
  metrics.sourceRead(SOURCE, whole);
  expect(await metric(`source_up{source="${SOURCE}"}`)).toBe(1);
  expect(await metric(`source_apps{source="${SOURCE}"}`)).toBe(3);
  now += 3_600_000;
  metrics.sourceFailed(SOURCE, new Error('down'));
  expect(await metric(`source_up{source="${SOURCE}"}`)).toBe(0);
  expect(await metric(`source_failures_total{source="${SOURCE}"}`)).toBe(1);
  expect(await metric(`source_data_age_seconds{source="${SOURCE}"}`)).toBe(3_600);
  expect(await metric(`source_last_read_timestamp_seconds{source="${SOURCE}"}`)).toBe(1_000);
});

test('data from disk are as old as the disk says, and the source is not up', async () => {
  metrics.sourceRead(SOURCE, { ...whole, fromDiskOf: now - 60_000 });
  expect(await metric(`source_data_age_seconds{source="${SOURCE}"}`)).toBe(60);
  expect(await metric(`source_up{source="${SOURCE}"}`)).toBe(0);
  expect(await metric(`source_reads_total{source="${SOURCE}"}`)).toBe(0);
});

test('backends in rotation are those with a weight', async () => {
  const mixed = service('11.0.0.1', 80, [backend('10.0.0.1', 1), backend('10.0.0.2', 1, { weight: 0 })]);
  metrics.passed(passOf({ desired: desiredOf(mixed, DB) }));
  expect(await metric('vips')).toBe(2);
  expect(await metric('backends')).toBe(3);
  expect(await metric('backends_in_rotation')).toBe(2);
});

test("another program's service counts as a conflict, not as unsettled", async () => {
  metrics.passed(passOf({ observed: tableOf(observedService(WEB, { scheduler: 'rr' })), foreign: true }));
  expect(await metric('conflicts')).toBe(1);
  expect(await metric('vips_unsettled')).toBe(0);
  expect(await metric('passes_total{kind="full",result="converged"}')).toBe(1);
});

const NOTHING_EJECTED: EjectionReport = {
  ...{ mode: 'on', ejections: new Map(), suspects: 0, blind: null, behind: null, returned: 3 },
  ejected: { 'timed out': 2, unreachable: 0, refused: 1, agent: 0 },
  probes: { connected: 4, 'timed out': 4, unreachable: 0, refused: 2, silent: 0, unknown: 0 },
};

test('ejections and probes are counted as the watch counts them, however often they are scraped', async () => {
  const clock = { epoch: () => now, monotonic: () => now };
  const metrics = createMetrics({ sources: [], dryRun: false, clock, ejection: () => NOTHING_EJECTED });
  await metrics.text();
  const text = await metrics.text();
  expect(text).toContain('marathon_ipvs_ejections_total{cause="timed out"} 2\n');
  expect(text).toContain('marathon_ipvs_eject_probes_total{result="connected"} 4\n');
  expect(text).toContain('marathon_ipvs_ejections_ended_total 3\n');
});

function namespacesOf(...all: readonly (readonly [string, boolean, number])[]): NamespacesReport {
  const namespaces = all.map(([id, isInSync, vips]) => ({
    ...{ id, path: null, isInSync, vips },
    ...{ reason: isInSync ? null : 'it is empty', since: 0 },
  }));
  return { directory: '/run/l4lb', failure: null, namespaces };
}

test('each network namespace has its own series while it exists', async () => {
  let report = namespacesOf(['web', true, 3], ['db', false, 2]);
  const clock = { epoch: () => now, monotonic: () => now };
  metrics = createMetrics({ sources: [SOURCE], dryRun: false, clock, namespaces: () => report });
  expect(await metric('netns_in_sync{netns="web"}')).toBe(1);
  expect(await metric('netns_in_sync{netns="db"}')).toBe(0);
  expect(await metric('netns_vips{netns="web"}')).toBe(3);
  expect(await metric('netns_directory_readable')).toBe(1);
  report = { ...namespacesOf(['web', true, 4]), failure: 'access denied' };
  expect(await metric('netns_in_sync{netns="db"}')).toBeUndefined();
  expect(await metric('netns_vips{netns="web"}')).toBe(4);
  expect(await metric('netns_directory_readable')).toBe(0);
});

describe('the tables of the kernel', () => {
  const told: IpvsTables = {
    grow: true,
    connections: { count: 3_000, buckets: 2_048, maxBuckets: 4_096, loadFactor: -4, max: null },
    services: { count: 7, buckets: 64, loadFactor: -3 },
    estimation: { threads: 1, maxThreads: 8, perThread: 122_400, chainLength: 51 },
  };
  let reads: number;
  const metricsWith = (tables: IpvsTables | null) => {
    reads = 0;
    const options = { sources: [SOURCE], dryRun: false, clock: { epoch: () => now, monotonic: () => now } };
    metrics = createMetrics(options, {
      tables: async () => {
        reads += 1;
        return tables;
      },
    });
  };

  test('are reported with their limits; values that the kernel does not report are NaN', async () => {
    metricsWith(told);
    expect(await metric('kernel_connections')).toBe(3_000);
    expect(await metric('kernel_max_connections')).toBeNaN();
    expect(await metric('kernel_connection_table_buckets')).toBe(2_048);
    expect(await metric('kernel_connection_table_max_buckets')).toBe(4_096);
    expect(await metric('kernel_service_table_buckets')).toBe(64);
    expect(await metric('kernel_estimation_threads')).toBe(1);
    expect(await metric('kernel_estimation_capacity')).toBe(979_200);
    metricsWith(null);
    expect(await metric('kernel_connection_table_buckets')).toBeNaN();
  });

  test('are read once per scrape', async () => {
    metricsWith(told);
    await metrics.text();
    expect(reads).toBe(1);
    await metrics.text();
    expect(reads).toBe(2);
  });
});

describe('docs/metrics.md', () => {
  const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const documented = new Map(
    [...page.matchAll(/^\| `(marathon_ipvs_\w+)(?:\{([^}]*)\})?` \| (\w+) \| (.*) \|$/gm)].map(
      ([, name, labels = '', type, help]) => [name, { labels, type, help }],
    ),
  );

  test('lists every metric of ours with its labels, type and meaning, and no other', async () => {
    const options = {
      sources: [SOURCE],
      dryRun: false,
      clock: { epoch: () => now, monotonic: () => now },
      ejection: () => NOTHING_EJECTED,
      namespaces: () => namespacesOf(['web', true, 3]),
    };
    const identity = renewedOf({ context: {}, startsAt: 0, endsAt: 1 });
    const access = accessOf({ identity, readToken: tokenOf('token') });
    const parts = { dns: new DnsMetrics(), access, tables: async () => null };
    const texts = [createMetrics(options, parts).text(), ledRelay().metrics.text()];
    const text = (await Promise.all(texts)).join('');
    const found = [...text.matchAll(/^# HELP (marathon_ipvs_\w+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
      ([, name = '', help, type]) => {
        const label = new RegExp(`^${name}(?:_bucket|_count|_sum)?\\{([^}]*)\\}`, 'm').exec(text)?.[1] ?? '';
        const labels = [...label.matchAll(/(\w+)="/g)].map(([, one]) => one).filter((one) => one !== 'le');
        return [name, { labels: labels.join(','), type, help }] as const;
      },
    );
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(found));
  });

  test('every name follows the conventions: base units, counters end in _total', () => {
    for (const [name, what] of documented) {
      expect(name).not.toMatch(/_(?:ms|millis|minutes|kb|mb)(?:_|$)/);
      expect([name, name?.endsWith('_total')]).toEqual([name, what.type === 'counter']);
    }
  });
});
