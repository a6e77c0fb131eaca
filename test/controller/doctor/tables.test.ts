import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkEstimator } from '../../../controller/doctor/checks/settings.ts';
import { readEstimation, readTables } from '../../../controller/doctor/read/tables.ts';
import { findings, healthy, only } from './healthy.ts';

/** As Linux 7.2.13 wrote it, with one service. */
const STATUS = `Conns:	0
Conn buckets:	256 (8 bits, lfactor -4)
Services:	1
Service buckets:	16 (4 bits, lfactor -3)
Service buckets empty:	15 (93%)
Service buckets len-1:	1 (100%)
Stats thread slots:	1 (max 8)
Stats chain max len:	51
Stats thread ests:	122400
`;
const FEW = {
  connections: 0,
  buckets: 256,
  maxBuckets: 4_096,
  maxConnections: 1_073_741_824,
  services: 1,
  serviceBuckets: 16,
};

describe('what a kernel tells of its tables', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tables-'));
  });
  afterEach(() => rm(root, { recursive: true }));
  const file = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };

  test('is read of Linux 7.2, with what the tables may grow to', async () => {
    await file('proc/net/ip_vs_status', STATUS);
    await file('sys/module/ip_vs/parameters/conn_tab_bits', '12\n');
    await file('proc/sys/net/ipv4/vs/conn_max', '1073741824\n');
    expect(await readTables(root)).toEqual(FEW);
  });

  test('is nothing on older kernels, and in a file of another form', async () => {
    expect(await readTables(root)).toBe(null);
    await file('proc/net/ip_vs_status', 'Connections: many\n');
    expect(await readTables(root)).toBe(null);
  });

  test('lacks the settings that the kernel does not have', async () => {
    await file('proc/net/ip_vs_status', STATUS);
    expect(await readTables(root)).toMatchObject({ maxBuckets: null, maxConnections: null });
    await file('proc/sys/net/ipv4/vs/run_estimation', '1\n');
    expect(await readEstimation(root)).toEqual({ switchedOn: '1', processors: null, nice: null });
    await file('proc/sys/net/ipv4/vs/est_cpulist', '\n');
    await file('proc/sys/net/ipv4/vs/est_nice', '-5\n');
    expect(await readEstimation(root)).toEqual({ switchedOn: '1', processors: '', nice: '-5' });
  });
});

test('a table of connections that may not grow any more is a warning, with the size that it needs', () => {
  expect(findings({ tables: FEW })).toEqual([]);
  const full = { ...FEW, connections: 70_000, buckets: 4_096 };
  expect(only({ tables: full })).toMatchObject({
    check: 'IPVS tables',
    state: 'warning',
    command: expect.stringContaining('options ip_vs conn_tab_bits=17'),
  });
  expect(findings({ tables: { ...full, maxBuckets: 131_072 } })).toEqual([]);
  expect(findings({ tables: { ...full, maxBuckets: null } })).toEqual([]);
});

test('connections near conn_max are a warning, then a problem', () => {
  const of = (connections: number) => findings({ tables: { ...FEW, connections, maxConnections: 1_000 } });
  expect(of(799)).toEqual([]);
  expect(of(800)).toMatchObject([{ check: 'IPVS connections', state: 'warning' }]);
  expect(of(950)).toMatchObject([
    { state: 'problem', command: expect.stringContaining('sysctl -w net.ipv4.vs.conn_max=4096 && ') },
  ]);
});

test('threads that count rates are told with their processors, and that an empty list of these stops them', () => {
  const found = (processors: string) =>
    checkEstimator({
      ...healthy,
      kernelRelease: '7.2.13',
      estimation: { switchedOn: '1', processors, nice: '0' },
    });
  expect(found('0-1')[0]?.found).toContain('(processors 0-1, nice 0)');
  expect(found('')[0]?.found).toContain('counters and rates stand still');
});
