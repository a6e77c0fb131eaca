import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { App } from '../../../controller/model.ts';
import { createStateStore } from '../../../controller/state/store.ts';
import { app, snapshot } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let directory: string;
let warnings: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'state-store-'));
  warnings = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const nothing = () => undefined;
const open = () =>
  createStateStore(directory, new FakeClock(), {
    debug: nothing,
    info: nothing,
    warn: (message) => warnings.push(message),
    error: nothing,
  });
const loaded = async (source = 'marathon'): Promise<readonly App[] | undefined> =>
  (await open().loadSnapshot(source))?.snapshot.apps;

test('what was saved is loaded, however large it and each app is, and in whatever letters', async () => {
  // Pieces of 64 KiB are written: some end within a letter of several bytes, and one app is larger than a piece.
  const apps = Array.from({ length: 400 }, (_, i) =>
    app(`/grüße/${i}`, { warnings: ['ü€😀'.repeat(i % 50)] }),
  );
  const large = app('/large', { warnings: ['€'.repeat(100_000)] });
  const all = [...apps.slice(0, 200), large, ...apps.slice(200)];
  await open().saveSnapshot('marathon', snapshot(...all));
  expect(await loaded()).toEqual(all);
});

test('each save has what was given to it, also of apps that it knows from the save before', async () => {
  const store = open();
  const [a, b] = [app('/a'), app('/b')];
  await store.saveSnapshot('marathon', snapshot(a, b));
  const changed = app('/a', { warnings: ['changed'] });
  await store.saveSnapshot('marathon', snapshot(b, changed));
  await store.saveSnapshot('file', snapshot(a));
  expect(await loaded()).toEqual([b, changed]);
  expect(await loaded('file')).toEqual([a]);
  await store.saveSnapshot('marathon', snapshot(a));
  expect(await loaded()).toEqual([a]);
});

test('what cannot be used is told, and counts as missing', async () => {
  expect(await loaded()).toBeUndefined();
  await open().saveSnapshot('marathon', snapshot(app('/a')));
  const [file = ''] = readdirSync(directory);
  writeFileSync(join(directory, file), '{"version":1,');
  expect(await loaded()).toBeUndefined();
  expect(warnings).toEqual(['saved state cannot be used']);
});

test('agents that a source lists are kept with its apps: no VIP takes their addresses after a restart either', async () => {
  const listed = { ...snapshot(app('/web')), agents: ['10.0.0.7', 'fd01::7'] };
  await open().saveSnapshot('mesos', listed);
  expect((await open().loadSnapshot('mesos'))?.snapshot).toEqual(listed);
});

test('saved state that another user could have written is not used', async () => {
  await open().saveSnapshot('marathon', snapshot(app('/web')));
  const [name = ''] = readdirSync(directory);
  chmodSync(join(directory, name), 0o666);
  expect(await loaded()).toBeUndefined();
  expect(warnings).toEqual(['saved state cannot be used']);
});
