import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkEstimator } from '../../../controller/doctor/checks/settings.ts';
import { examine } from '../../../controller/doctor/examine.ts';
import { readEstimation } from '../../../controller/doctor/read/estimation.ts';
import type { IpvsTables } from '../../../controller/model/counters.ts';
import { controller, findings, healthy, only } from './healthy.ts';

/** The tables of Linux 7.2.13 with its defaults, with this many connections in a table of maximum size. */
function growing(count: number, more: Partial<IpvsTables['connections']> = {}): IpvsTables {
  const limits = { maxBuckets: 4_096, loadFactor: -4, max: 1_073_741_824 };
  return {
    grow: true,
    connections: { count, buckets: 4_096, ...limits, ...more },
    services: { count: 1, buckets: 16, loadFactor: -3 },
    estimation: { threads: 1, maxThreads: 8, perThread: 122_400, chainLength: 51 },
  };
}

/** The tables of Linux 6.1 with its defaults. */
const FIXED: IpvsTables = {
  grow: false,
  connections: { count: null, buckets: 4_096, maxBuckets: 4_096, loadFactor: null, max: null },
  services: { count: null, buckets: 256, loadFactor: null },
  estimation: null,
};

const busy = (connections: number) => ({ ...controller, connections });
const tellsOf = (tables: IpvsTables) =>
  examine({ ...healthy, tables }, 0).findings.find(({ check }) => check === 'IPVS tables')?.found;

test('size and load are told: of tables that grow by the kernel, of others by the controller', () => {
  expect(tellsOf(growing(70))).toBe('70 connections in 4096 buckets, at most 4096; 1 services in 16 buckets');
  expect(tellsOf(FIXED)).toBe('12 connections in 4096 buckets (a fixed size); 1 services in 256 buckets');
});

test('a table of connections that may not grow any more is a warning, with the size that it needs', () => {
  expect(findings({ tables: growing(16_384) })).toEqual([]);
  expect(only({ tables: growing(70_000) })).toMatchObject({
    check: 'IPVS tables',
    state: 'warning',
    why: expect.stringContaining('has grown to the limit of'),
    command: expect.stringContaining('options ip_vs conn_tab_bits=17'),
  });
  expect(findings({ tables: growing(70_000, { maxBuckets: 131_072 }) })).toEqual([]);
  expect(findings({ tables: growing(70_000, { maxBuckets: null }) })).toEqual([]);
});

test('so is one of a fixed size, as far as the controller knows of connections', () => {
  expect(findings({ tables: FIXED, controller: busy(16_384) })).toEqual([]);
  expect(only({ tables: FIXED, controller: busy(70_000) })).toMatchObject({
    state: 'warning',
    why: expect.stringContaining('fixes the size of the connection table'),
    command: expect.stringContaining('conn_tab_bits=17'),
  });
});

test('no more is advised than the kernel takes: 2^20 buckets before Linux 6.5', () => {
  const crowded = { tables: FIXED, controller: busy(9_000_000) };
  expect(only(crowded).command).toContain('conn_tab_bits=20');
  expect(only({ ...crowded, kernelRelease: '6.12.1' }).command).toContain('conn_tab_bits=24');
  const largest = { ...FIXED, connections: { ...FIXED.connections, buckets: 2 ** 20, maxBuckets: 2 ** 20 } };
  expect(findings({ ...crowded, tables: largest })).toEqual([]);
});

test('a fixed table of services is a warning from where a new connection feels it', () => {
  const services = (count: number) => ({
    ipvs: {
      services: Array<string>(count).fill('11.0.0.1'),
      timeouts: { tcp: 7_260, tcpFin: 120, udp: 300 },
    },
    // Otherwise the estimator's timer would be a finding too.
    estimation: { switchedOn: '0', processors: null, nice: null },
  });
  expect(findings({ tables: FIXED, ...services(16_384) })).toEqual([]);
  expect(only({ tables: FIXED, ...services(25_600) })).toMatchObject({
    code: 'ipvs-tables',
    check: 'IPVS table of services',
    state: 'warning',
    why: expect.stringContaining('about 100 services'),
    command: null,
  });
  expect(findings({ tables: growing(0), ...services(25_600) })).toEqual([]);
});

test('connections near conn_max are a warning, then a problem', () => {
  const of = (count: number) => findings({ tables: growing(count, { max: 1_000 }) });
  expect(of(799)).toEqual([]);
  expect(of(800)).toMatchObject([{ check: 'IPVS connections', state: 'warning' }]);
  expect(of(950)).toMatchObject([
    { state: 'problem', command: expect.stringContaining('sysctl -w net.ipv4.vs.conn_max=4096 && ') },
  ]);
});

test('threads that count rates are told with their processors, and that an empty list of these stops them', () => {
  const found = (processors: string, tables: IpvsTables | null) =>
    checkEstimator({
      ...healthy,
      kernelRelease: '7.2.13',
      tables,
      estimation: { switchedOn: '1', processors, nice: '0' },
    })[0]?.found;
  expect(found('0-1', null)).toContain('(processors 0-1, nice 0); 1 services');
  expect(found('0-1', growing(0))).toContain(
    '(processors 0-1, nice 0), 1 of at most 8, each for up to 122400 services and backends; 1 services',
  );
  expect(found('', null)).toContain('counters and rates are not updated');
});

test('how rates are counted is read as far as the kernel has a setting for it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'estimation-'));
  const setting = async (name: string, text: string) => {
    const path = join(root, 'proc/sys/net/ipv4/vs', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  try {
    expect(await readEstimation(root)).toEqual({ switchedOn: null, processors: null, nice: null });
    await setting('run_estimation', '1\n');
    expect(await readEstimation(root)).toEqual({ switchedOn: '1', processors: null, nice: null });
    await setting('est_cpulist', '\n');
    await setting('est_nice', '-5\n');
    expect(await readEstimation(root)).toEqual({ switchedOn: '1', processors: '', nice: '-5' });
  } finally {
    await rm(root, { recursive: true });
  }
});
