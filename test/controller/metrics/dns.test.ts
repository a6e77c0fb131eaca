import { beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { RCODE, TYPE } from '../../../controller/dns/codes.ts';
import { DnsMetrics } from '../../../controller/metrics/dns.ts';

let metrics: DnsMetrics;
let registry: Registry;
beforeEach(() => {
  metrics = new DnsMetrics();
  registry = new Registry();
  metrics.register(registry);
});

async function series(name: string): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines
    .filter((line) => line.startsWith(`marathon_ipvs_dns_${name}`))
    .map((line) => line.replace(/^[^{ ]*/, ''));
}

test('queries are counted by type, rcode and transport, however often they are scraped', async () => {
  metrics.answered({ type: TYPE.A, rcode: RCODE.NOERROR, truncated: false }, 'udp', 0.000_02);
  metrics.answered({ type: TYPE.A, rcode: RCODE.NOERROR, truncated: false }, 'udp', 0.000_02);
  metrics.answered({ type: TYPE.SRV, rcode: RCODE.NXDOMAIN, truncated: false }, 'tcp', 0.000_02);
  metrics.answered({ type: TYPE.ANY, rcode: RCODE.BADVERS, truncated: false }, 'udp', 0.000_02);
  await series('queries_total');
  const told = await series('queries_total');
  expect(told.filter((line) => !line.endsWith(' 0'))).toEqual([
    '{type="A",rcode="NOERROR",transport="udp"} 2',
    '{type="SRV",rcode="NXDOMAIN",transport="tcp"} 1',
    '{type="ANY",rcode="BADVERS",transport="udp"} 1',
  ]);
  expect(await series('reply_duration_seconds_count')).toEqual([' 4']);
});

test('the usual series exist from the start, at 0', async () => {
  expect(await series('queries_total')).toContain('{type="AAAA",rcode="NXDOMAIN",transport="udp"} 0');
  expect(await series('dropped_total')).toContain('{reason="rate"} 0');
  expect(await series('truncated_total')).toEqual([' 0']);
});

test('a client that queries every type creates one counter', async () => {
  for (let type = 0; type <= 65_535; type++) {
    metrics.answered({ type, rcode: RCODE.REFUSED, truncated: false }, 'udp', 0.000_02);
  }
  const other = (await series('queries_total')).filter((line) => line.includes('type="other"'));
  expect(other).toHaveLength(1);
  expect((await series('queries_total')).length).toBeLessThan(20);
});

test('dropped and truncated messages are counted', async () => {
  metrics.dropped('rate');
  metrics.dropped('slow');
  metrics.dropped('rate');
  metrics.answered({ type: TYPE.A, rcode: RCODE.NOERROR, truncated: true }, 'udp', 0.000_02);
  expect(await series('dropped_total')).toEqual(
    expect.arrayContaining(['{reason="rate"} 2', '{reason="slow"} 1', '{reason="failed"} 0']),
  );
  expect(await series('truncated_total')).toEqual([' 1']);
});
