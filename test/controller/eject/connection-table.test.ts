import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnectionTable } from '../../../controller/eject/connection-table.ts';

const HEAD = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connection-table-'));
});
afterAll(async () => await rm(folder, { recursive: true }));

function lines(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const port = i.toString(16).toUpperCase().padStart(4, '0');
    return `TCP 0A080002 ${port} 0B000001 0050 0A000001 7918 TIME_WAIT       119`;
  });
}

async function tableOf(all: readonly string[], mostBytes?: number) {
  const path = join(folder, 'ip_vs_conn');
  await writeFile(path, `${[HEAD, ...all].join('\n')}\n`);
  let used = 0;
  return createConnectionTable(() => ++used, path, mostBytes);
}

test('TCP connections are read with their states, however many there are', async () => {
  const udp = 'UDP 0A080002 0001 0B000001 0035 0A000001 7919 UDP             298';
  const table = await tableOf([udp, ...lines(5_000)]);
  const { tcp, bytes, cost } = await table.read();
  expect(tcp?.size).toBe(5_000);
  expect(tcp?.get('TCP 0A080002 1387 0B000001 0050 0A000001 7918')).toBe('TIME_WAIT');
  expect(bytes).toBeGreaterThan(5_000 * 60);
  expect(cost).toBeGreaterThan(0);
  expect((await table.read()).tcp).toEqual(tcp);
});

test('a table without connections is none that cannot be read', async () => {
  const table = await tableOf([]);
  expect((await table.read()).tcp?.size).toBe(0);
});

test('of a table that is too large no part is used', async () => {
  const table = await tableOf(lines(5_000), 100_000);
  expect(await table.read()).toMatchObject({ tcp: null, bytes: 100_000 });
});

test('a table that is not there rejects', async () => {
  const table = createConnectionTable(() => 0, join(folder, 'nothing'));
  await expect(table.read()).rejects.toThrow(/ENOENT/);
});
