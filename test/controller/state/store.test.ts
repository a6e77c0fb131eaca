import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { App } from '../../../controller/model.ts';
import { createStateStore } from '../../../controller/state/store.ts';
import { app, snapshot, web } from '../../support/builders.ts';
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

test('a file in which any part of an app is not what it was counts as missing, and a pass goes on without it', async () => {
  const whole = web('/a', { VIP_0: '/a:80' }, '10.0.0.1:80');
  const told = { agent: { host: 'a', address: '10.0.0.1' }, addresses: ['172.17.0.2'] };
  const tasks = whole.tasks.map((task) => ({ ...task, ...told }));
  const saved = {
    ...whole,
    tasks,
    rejected: [{ app: '/a', at: '', value: '', reason: 'r' }],
    warnings: ['w'],
  };
  await open().saveSnapshot('marathon', snapshot(saved));
  expect(await loaded()).toEqual([saved]);
  const path = join(directory, readdirSync(directory)[0] ?? '');
  const text = readFileSync(path, 'utf8');
  const damaged: string[] = [];
  /** Each value of the app in turn is another one, or missing. */
  const walk = (value: object, replace: (by: object) => object) => {
    for (const [key, inner] of Object.entries(value)) {
      const put = (by: unknown) => {
        const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
        copy[key] = by;
        return replace(copy);
      };
      for (const by of [null, 7.5, {}, ['x']]) if (!isSame(inner, by)) damaged.push(JSON.stringify(put(by)));
      if (typeof inner === 'object') walk(inner, put);
    }
  };
  const frame = JSON.parse(text);
  walk(saved, (by) => ({ ...frame, snapshot: { apps: [by] } }));
  expect(damaged.length).toBeGreaterThan(100);
  for (const json of damaged) {
    writeFileSync(path, json);
    expect({ json, loaded: await loaded() }).toEqual({ json, loaded: undefined });
  }
});

/** Where texts are addresses, any other text is damage. */
function isAddresses(value: unknown): boolean {
  return typeof value === 'object' && Object.values(value ?? {}).some((one) => isIP(String(one)) !== 0);
}

/** Replacing a port by another, or texts by others, damages nothing that can be told. */
function isSame(before: unknown, by: unknown): boolean {
  if (typeof before === 'number') return typeof by === 'number';
  const isTexts = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((one) => typeof one === 'string');
  return (
    isTexts(before) && isTexts(by) && Array.isArray(before) === Array.isArray(by) && !isAddresses(before)
  );
}
