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

/** `waiting`: what connection tracking says, if it does. */
async function tableOf(all: readonly string[], waiting: readonly string[] | null = null) {
  const path = join(folder, 'ip_vs_conn');
  await writeFile(path, `${[HEAD, ...all].join('\n')}\n`);
  let used = 0;
  const tracked = { read: async () => waiting, close: () => undefined };
  return createConnectionTable(() => ++used, tracked, path, { withWaiting: 100_000, alone: 250_000 });
}

test('TCP connections are read with their states, however many there are', async () => {
  const udp = 'UDP 0A080002 0001 0B000001 0035 0A000001 7919 UDP             298';
  const table = await tableOf([udp, ...lines(1_400)]);
  const { tcp, extent, bytes, cpuFrom } = await table.read();
  expect(extent).toBe('all');
  expect(tcp.size).toBe(1_400);
  expect(tcp.get('TCP 0A080002 0577 0B000001 0050 0A000001 7918')).toBe('TIME_WAIT');
  expect(bytes).toBeGreaterThan(1_400 * 60);
  // Each look at the clock is a millisecond later: one at the start, and one from before to after it yields.
  expect(cpuFrom).toBe(2);
  expect((await table.read()).tcp).toEqual(tcp);
});

test('a table without connections is none that cannot be read', async () => {
  const table = await tableOf([]);
  expect((await table.read()).tcp.size).toBe(0);
});

function linesIn(bytes: number): number {
  const [line = ''] = lines(1);
  return Math.floor((bytes - HEAD.length - 1) / (line.length + 1));
}

test('of a table that is too large the beginning is read, without the line in which it ends, and all that wait', async () => {
  const waits = 'TCP 0A080003 0001 0B000001 0050 0A000001 7918';
  const known = 'TCP 0A080002 0002 0B000001 0050 0A000001 7918';
  const table = await tableOf(lines(5_000), [waits, known]);
  const { tcp, extent, bytes } = await table.read();
  expect({ extent, bytes }).toEqual({ extent: 'waiting', bytes: 100_000 });
  expect(tcp.size).toBe(linesIn(100_000) + 1);
  expect(tcp.get(waits)).toBe('SYN_RECV');
  expect(tcp.get(known)).toBe('TIME_WAIT');
  expect(new Set(tcp.values())).toEqual(new Set(['SYN_RECV', 'TIME_WAIT']));
});

test('more of it is read where nothing else tells of those that wait', async () => {
  const table = await tableOf(lines(5_000));
  expect((await table.read()).extent).toBe('beginning');
  const { tcp, extent } = await table.read();
  expect({ extent, size: tcp.size }).toEqual({ extent: 'beginning', size: linesIn(250_000) });

  const smaller = await tableOf(lines(3_000));
  await smaller.read();
  expect((await smaller.read()).extent).toBe('all');
});

test('a table that is not there rejects', async () => {
  const table = createConnectionTable(
    () => 0,
    { read: async () => null, close() {} },
    join(folder, 'nothing'),
  );
  await expect(table.read()).rejects.toThrow(/ENOENT/);
});
