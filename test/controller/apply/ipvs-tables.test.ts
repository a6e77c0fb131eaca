import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readIpvsTables } from '../../../controller/apply/ipvs-tables.ts';
import { STATUS_BUSY, STATUS_IDLE, STATUS_NEW } from './ipvs-status.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tables-'));
});
afterEach(() => rm(root, { recursive: true }));

async function files(texts: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** As Debian's kernel has it. */
const BITS = { 'sys/module/ip_vs/parameters/conn_tab_bits': '12\n' };

test('Linux 7.2 tells size and load of tables that grow, what limits them, and the threads that count', async () => {
  await files({
    ...BITS,
    'proc/net/ip_vs_status': STATUS_IDLE,
    'proc/sys/net/ipv4/vs/conn_max': '1073741824\n',
    'proc/sys/net/ipv4/vs/conn_lfactor': '-4\n',
    'proc/sys/net/ipv4/vs/svc_lfactor': '-3\n',
  });
  expect(await readIpvsTables(root)).toEqual({
    grow: true,
    connections: { count: 0, buckets: 256, maxBuckets: 4_096, loadFactor: -4, max: 1_073_741_824 },
    services: { count: 1, buckets: 16, loadFactor: -3 },
    estimation: { threads: 1, maxThreads: 8, perThread: 122_400, chainLength: 51 },
  });
});

test('what is in the tables is told while they are busy', async () => {
  await files({ ...BITS, 'proc/net/ip_vs_status': STATUS_BUSY });
  expect(await readIpvsTables(root)).toMatchObject({
    connections: { count: 300, buckets: 4_096, maxBuckets: 4_096 },
    services: { count: 1, buckets: 16 },
    estimation: { perThread: 278_400 },
  });
});

test('a network namespace without a service has no tables yet', async () => {
  await files({ ...BITS, 'proc/net/ip_vs_status': STATUS_NEW });
  expect(await readIpvsTables(root)).toMatchObject({
    connections: { count: 0, buckets: 0, maxBuckets: 4_096, loadFactor: null, max: null },
    services: { count: 0, buckets: 0 },
    estimation: null,
  });
});

test('older kernels have tables of a fixed size, and tell nothing of their load', async () => {
  await files({ 'sys/module/ip_vs/parameters/conn_tab_bits': '16\n' });
  expect(await readIpvsTables(root)).toEqual({
    grow: false,
    connections: { count: null, buckets: 65_536, maxBuckets: 65_536, loadFactor: null, max: null },
    services: { count: null, buckets: 256, loadFactor: null },
    estimation: null,
  });
});

test('nothing is known without the module, and of a file of another form', async () => {
  expect(await readIpvsTables(root)).toBe(null);
  await files({ 'proc/net/ip_vs_status': 'Connections: many\n' });
  expect(await readIpvsTables(root)).toBe(null);
});
