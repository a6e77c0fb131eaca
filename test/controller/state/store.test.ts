import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../../controller/errors.ts';
import type { App } from '../../../controller/model/app.ts';
import { createStateStore } from '../../../controller/state/store.ts';
import { app, snapshot, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';

let directory: string;
const path = () => join(directory, readdirSync(directory)[0] ?? '');
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
const save = (source: string, ...apps: readonly App[]) =>
  open().saveSource(source, null, () => snapshot(...apps));
const loaded = async (source = 'marathon'): Promise<readonly App[] | undefined> =>
  (await open().loadSource(source))?.snapshot.apps;

test('what was saved is loaded, however large it and each app is, and in whatever letters', async () => {
  // Pieces of 64 KiB are written: some end within a letter of several bytes, and one app is larger than a piece.
  const apps = Array.from({ length: 400 }, (_, i) =>
    app(`/grüße/${i}`, { warnings: ['ü€😀'.repeat(i % 50)] }),
  );
  const large = app('/large', { warnings: ['€'.repeat(100_000)] });
  const all = [...apps.slice(0, 200), large, ...apps.slice(200)];
  await save('marathon', ...all);
  expect(await loaded()).toEqual(all);
});

test('a save adds what changed, and what was removed is gone after a restart', async () => {
  const store = open();
  const [a, b] = [app('/a'), app('/b')];
  await store.saveSource('marathon', null, () => snapshot(a, b));
  const whole = readFileSync(path(), 'utf8');
  const changed = app('/a', { warnings: ['changed'] });
  const never = (): never => {
    throw new Error('a small change needs no whole');
  };
  await store.saveSource('marathon', { upserts: [changed], removed: [] }, never);
  expect(readFileSync(path(), 'utf8').startsWith(whole)).toBe(true);
  expect(await loaded()).toEqual([changed, b]);
  await store.saveSource(
    'marathon',
    { upserts: [], removed: [{ key: 'marathon /a', fromTasks: true }] },
    never,
  );
  expect(await loaded()).toEqual([changed, b]);
  await store.saveSource(
    'marathon',
    { upserts: [], removed: [{ key: 'marathon /a', fromTasks: false }] },
    never,
  );
  expect(await loaded()).toEqual([b]);
  await save('file', a);
  expect([await loaded(), await loaded('file')]).toEqual([[b], [a]]);
});

test('an app of a definition and one of the same key of what tasks say are two', async () => {
  const both = [app('/a'), app('/a', { fromTasks: true })];
  await save('marathon', ...both);
  expect(await loaded()).toEqual(both);
});

test('a journal of changes stays within about twice what it was when it was written whole, and loses nothing', async () => {
  const store = open();
  const long = (i: number, n: number) => app(`/${i}`, { warnings: [`${n} ${'x'.repeat(4_000)}`] });
  const now = Array.from({ length: 20 }, (_, i) => long(i, 0));
  await store.saveSource('marathon', null, () => snapshot(...now));
  const { size } = statSync(path());
  let [largest, whole] = [0, 0];
  for (let n = 1; n < 200; n += 1) {
    const one = long(n % 20, n);
    now[n % 20] = one;
    await store.saveSource('marathon', { upserts: [one], removed: [] }, () => {
      whole += 1;
      return snapshot(...now);
    });
    largest = Math.max(largest, statSync(path()).size);
  }
  expect(largest).toBeLessThan(2 * size + 65_536 + 1);
  expect([whole > 2, whole < 10]).toEqual([true, true]);
  expect(await loaded()).toEqual(now);
});

test('a crash in the midst of a save loses that save at most: the line that is cut is dropped, at whatever byte', async () => {
  const store = open();
  const [a, b] = [app('/a'), app('/b')];
  await store.saveSource('marathon', null, () => snapshot(a));
  const { size } = statSync(path());
  await store.saveSource('marathon', { upserts: [b], removed: [] }, () => snapshot(a, b));
  const text = readFileSync(path());
  for (let length = size; length < text.length; length += 7) {
    writeFileSync(path(), text.subarray(0, length));
    expect([[a], [a, b]]).toContainEqual(await loaded());
  }
  expect(warnings).toEqual([]);
  writeFileSync(path(), text.subarray(0, size + 5));
  const next = open();
  await next.loadSource('marathon');
  await next.saveSource('marathon', { upserts: [b], removed: [] }, () => snapshot(a, b));
  expect([await loaded(), warnings]).toEqual([[a, b], []]);
});

test('what ports declare is written once, however many tasks have them, and each older version once', async () => {
  const long = 'x'.repeat(60_000);
  const endpoints = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
  const now = web('/a', { VIP_0: '/a:80', 'com.example/about': long }, ...endpoints.slice(0, 100));
  const older = web('/a', { VIP_0: '/older:80' }, ...endpoints.slice(100, 200));
  const local = { local: [{ address: '172.17.0.2', port: 8080 }], unresolved: 'of one family only' };
  const bridged = older.tasks.map((task) => ({
    ...task,
    ports: task.ports.map((port) => ({ ...port, ...local })),
  }));
  // Equal, and not the same object: each task of Mesos has labels of its own.
  const parsed: App['tasks'] = JSON.parse(JSON.stringify(now.tasks));
  const all = { ...now, tasks: [...now.tasks, ...bridged, ...parsed] };
  await save('marathon', all);
  expect(await loaded()).toEqual([all]);
  const text = readFileSync(path(), 'utf8');
  expect([text.split(long).length, text.split('/older:80').length]).toEqual([2, 2]);
  const [first, second] = (await loaded())?.[0]?.tasks ?? [];
  expect(first?.ports[0]?.labels).toBe(second?.ports[0]?.labels);
});

test('an app whose line would be too long is left out and told once, and the others are saved', async () => {
  const store = open();
  const [a, b] = [app('/a'), app('/b')];
  const long = app('/long', { warnings: ['x'.repeat(64 * 2 ** 20)] });
  await store.saveSource('marathon', null, () => snapshot(a, app('/long')));
  await store.saveSource('marathon', { upserts: [long, b], removed: [] }, () => snapshot(a, long, b));
  // What it was is not kept: nobody would know of what time it is.
  expect(await loaded()).toEqual([a, b]);
  await store.saveSource('marathon', null, () => snapshot(long, b));
  expect(await loaded()).toEqual([b]);
  expect(warnings).toEqual(['entry is too long, left out of the saved state']);
  await store.saveSource('marathon', { upserts: [app('/long')], removed: [] }, () => snapshot());
  expect(await loaded()).toEqual([b, app('/long')]);
});

test('a line that is damaged is told, and the others are used', async () => {
  await save('marathon', app('/a'), app('/b', { warnings: ['word'] }), app('/c'));
  const text = readFileSync(path(), 'utf8');
  writeFileSync(path(), text.replace('word', 'ward'));
  expect((await loaded())?.map(({ id }) => id)).toEqual(['/a', '/c']);
  expect(warnings).toEqual(['saved state is damaged, its intact lines are used']);
});

test('a journal that someone removed, shortened or lengthened is written anew', async () => {
  const store = open();
  const [a, b] = [app('/a'), app('/b')];
  const all = () => snapshot(a, b);
  for (const spoil of [
    () => rmSync(path()),
    () => writeFileSync(path(), ''),
    () => appendFileSync(path(), 'x\n'),
  ]) {
    await store.saveSource('marathon', null, () => snapshot(a));
    spoil();
    await store.saveSource('marathon', { upserts: [b], removed: [] }, all);
    expect(await loaded()).toEqual([a, b]);
  }
});

test('the memory of names adds what changed', async () => {
  const store = open();
  const memory = (...names: readonly string[]) => ({
    addresses: new Map(names.map((name, i) => [name, { ipv4: `11.0.0.${i}` }])),
    labels: new Map([['l', `/${names.length}:80`]]),
  });
  await store.saveMemory(memory('a.marathon', 'b.marathon'));
  const before = readFileSync(path(), 'utf8');
  await store.saveMemory(memory('a.marathon'));
  expect(readFileSync(path(), 'utf8').slice(before.length).split('\n').length).toBe(4);
  expect(await open().loadMemory()).toEqual(memory('a.marathon'));
});

test('what cannot be used is told, and counts as missing', async () => {
  expect(await loaded()).toBeUndefined();
  await save('marathon', app('/a'));
  const [file = ''] = readdirSync(directory);
  writeFileSync(join(directory, file), '{"version":1,');
  expect(await loaded()).toBeUndefined();
  expect(warnings).toEqual(['saved state cannot be used']);
});

test('agents that a source lists are kept with its apps: no VIP takes their addresses after a restart either', async () => {
  const places = { '10.0.0.7': { region: 'eu', zone: 'a' } };
  const listed = { ...snapshot(app('/web')), agents: ['10.0.0.7', 'fd01::7'], places };
  await open().saveSource('mesos', null, () => listed);
  expect((await open().loadSource('mesos'))?.snapshot).toEqual(listed);
});

test('saved state that another user could have written is not used', async () => {
  await save('marathon', app('/web'));
  const [name = ''] = readdirSync(directory);
  chmodSync(join(directory, name), 0o666);
  expect(await loaded()).toBeUndefined();
  expect(warnings).toEqual(['saved state cannot be used']);
});

test('an app of which any part is not what it was is left out, and a pass goes on without it', async () => {
  const whole = web('/a', { VIP_0: '/a:80' }, '10.0.0.1:80');
  const told = {
    agent: { host: 'a', address: '10.0.0.1' },
    place: { region: 'eu', zone: 'a' },
    addresses: ['172.17.0.2'],
  };
  const tasks = whole.tasks.map((task) => ({ ...task, ...told }));
  const saved = {
    ...whole,
    tasks,
    rejected: [{ app: '/a', at: '', value: '', reason: 'r' }],
    warnings: ['w'],
  };
  await save('marathon', saved);
  expect(await loaded()).toEqual([saved]);
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
  const [header = '', , line = ''] = readFileSync(path(), 'utf8').split('\n');
  const [, , stored] = JSON.parse(line.slice(9));
  const row = (by: unknown) => JSON.stringify(['put', 'app marathon /a', by]);
  walk(stored, (by) => by);
  // A task's port that is none of the app's.
  for (const place of [-1, 0.5, 1])
    damaged.push(JSON.stringify(stored).replace('"port":0', `"port":${place}`));
  expect(damaged.length).toBeGreaterThan(100);
  for (const json of damaged) {
    const text = row(JSON.parse(json));
    writeFileSync(path(), `${header}\n${crc32(text).toString(16).padStart(8, '0')} ${text}\n`);
    expect({ json, loaded: await loaded() }).toEqual({ json, loaded: [] });
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

describe('what is no file in place of one', () => {
  const inItsPlace = (make: (at: string) => void) => {
    const at = path();
    rmSync(at);
    make(at);
  };
  const pipe = (at: string) => execFileSync('sh', ['-c', 'mkfifo -m 600 "$0"', at]);

  test('a pipe is not waited for, and the log says what it is', async () => {
    await save('marathon', app('/a'));
    inItsPlace(pipe);
    const said: unknown[] = [];
    const log = {
      debug: nothing,
      info: nothing,
      warn: (_: string, fields: unknown) => said.push(fields),
      error: nothing,
    };
    expect(await createStateStore(directory, new FakeClock(), log).loadSource('marathon')).toBeNull();
    expect(said).toEqual([
      { path: path(), error: `${path()} is a named pipe, not a regular file: remove it` },
    ]);
  });

  test('a save puts a file in its place', async () => {
    const store = open();
    await store.saveSource('marathon', null, () => snapshot(app('/a')));
    inItsPlace(pipe);
    await store.saveSource('marathon', { upserts: [app('/b')], removed: [] }, () =>
      snapshot(app('/a'), app('/b')),
    );
    expect((await loaded())?.map(({ id }) => id)).toEqual(['/a', '/b']);
  });
});

test('a directory that cannot be made is named, with the reason, and a save succeeds once it can be', async () => {
  const [file, link] = [join(directory, 'file'), join(directory, 'link')];
  writeFileSync(file, '');
  symlinkSync(join(directory, 'nowhere'), link);
  const failure = async (path: string) =>
    await createStateStore(path, new FakeClock(), new World().log).saveSerial(1).catch(messageOf);
  expect([await failure(file), await failure(join(file, 'below')), await failure(link)]).toEqual([
    `write ${file}/dns.journal (--state-dir): the directory ${file} cannot be made: a file has its name`,
    `write ${file}/below/dns.journal (--state-dir): the directory ${file}/below cannot be made: a part of the path is not a directory`,
    `write ${link}/dns.journal (--state-dir): the directory ${link} cannot be made: a link on its path leads nowhere`,
  ]);
  rmSync(file);
  expect(await failure(file)).toBeUndefined();
});

test.each([0, 2 ** 32 - 1])('the serial %d is saved, and replaces the one before', async (serial) => {
  expect(await open().loadSerial()).toBeNull();
  await open().saveSerial(7);
  await open().saveSerial(serial);
  expect(await open().loadSerial()).toBe(serial);
  expect(readdirSync(directory)).toEqual(['dns.journal']);
});

test.each([-1, 2 ** 32, 1.5])('a saved serial that is none (%d) counts as missing', async (serial) => {
  await open().saveSerial(serial);
  expect(await open().loadSerial()).toBeNull();
  expect(warnings).toEqual(['saved state is damaged, its intact lines are used']);
});
