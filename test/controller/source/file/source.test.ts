import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isEmpty } from '../../../../controller/model/delta.ts';
import { createFileSource, type FileSourceOptions } from '../../../../controller/source/file/source.ts';
import { systemClock } from '../../../../controller/time.ts';
import { namesOf, silent, TestListener, until } from '../support.ts';

let directory: string;
let stop: AbortController;
let following: Promise<void>[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'file-source-'));
  stop = new AbortController();
  following = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(following);
  await rm(directory, { recursive: true });
});

const never = new AbortController().signal;
const file = (name: string) => join(directory, name);
const source = (path: string, more: Partial<FileSourceOptions> = {}) =>
  createFileSource({ path, resolver: namesOf(), log: silent, settleMs: 5, ...more });
const app = (id: string, vip = `${id}:80`) => ({
  id,
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: vip } }],
});
const write = (name: string, json: unknown) => writeFile(file(name), JSON.stringify(json));

/** Follows from the first read on. */
async function followed(path: string, more: Partial<FileSourceOptions> = {}): Promise<TestListener> {
  const listener = new TestListener();
  following.push(source(path, more).follow(listener, stop.signal));
  await until('the first read', () => listener.snapshots.length + listener.errors.length > 0);
  return listener;
}

test('a file is read with its framework, marathon by default', async () => {
  await write('apps.json', { apps: [app('/a')] });
  expect((await source(file('apps.json')).read(never)).apps).toMatchObject([
    { id: '/a', framework: 'marathon' },
  ]);
  expect((await source(file('apps.json'), { framework: 'dev' }).read(never)).apps[0]?.framework).toBe('dev');
});

test.each([
  [
    'is not there',
    undefined,
    /^file .*apps\.json: there is no such file or directory; check the path \(--source\)$/,
  ],
  ['is no JSON', '{\n"apps": [,]\n}', /file .*apps\.json: not JSON: line 2, column 10: /],
  [
    'has no known shape',
    '{"frameworks":[]}',
    /apps\.json: expected an app.*groups tree, or Mesos data.*; it begins \{"frameworks"/,
  ],
  [
    'has a tree of groups with a group that is none',
    '{"groups":[{"id":"/g","groups":[null]}]}',
    /^file .*apps\.json: groups\[0\]\.groups\[0\]: expected a group, got null$/,
  ],
  [
    'has a tree of groups with a list that is none',
    '[{"groups":[{"id":"/g","apps":{"id":"/g/a"}}]}]',
    /^file .*apps\.json: \[0\]\.groups\[0\]\.apps: expected a list, got an object$/,
  ],
  [
    'has a tree of groups with a wrong id',
    '{"groups":[{"id":"/g","groups":[{"id":5,"apps":[{"id":"x","cmd":"x"}]}]}]}',
    /^file .*apps\.json: groups\[0\]\.groups\[0\]\.id: expected text, got 5$/,
  ],
  [
    'is not UTF-8',
    Buffer.from('{"apps":[{"id":"/caf\xe9"}]}', 'latin1'),
    /^file .*apps\.json: not UTF-8: the byte at offset 20 \(0xe9\) is part of no character; save the file as UTF-8$/,
  ],
  [
    'ends within a character',
    Buffer.from('"\u20ac"').subarray(0, 3),
    /: not UTF-8: the byte at offset 1 \(0xe2\) /,
  ],
  [
    'is larger than the limit',
    JSON.stringify({ apps: [], x: 'x'.repeat(200) }),
    /apps\.json: it has 21\d bytes and the limit is 200/,
  ],
])('a single file that %s fails the read with code usage and its name', async (_name, text, message) => {
  if (text !== undefined) await writeFile(file('apps.json'), text);
  const reading = source(file('apps.json'), { maxBytes: 200 }).read(never);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toMatchObject({ code: 'usage' });
});

test('an app that is malformed does not fail the file', async () => {
  await write('apps.json', [app('/good'), { ...app('/bad'), portDefinitions: 'x' }]);
  const { apps } = await source(file('apps.json')).read(never);
  expect(apps.map(({ id, rejected }) => [id, rejected.length])).toEqual([
    ['/good', 0],
    ['/bad', 1],
  ]);
});

test('an app that becomes malformed keeps what it last gave, with the reason', async () => {
  await write('apps.json', [app('/a')]);
  const one = source(file('apps.json'));
  const [before] = (await one.read(never)).apps;
  await write('apps.json', [{ ...app('/a'), portDefinitions: 'x' }]);
  const [after] = (await one.read(never)).apps;
  expect(after).toMatchObject({ ...before, rejected: [{ app: '/a', at: 'portDefinitions', value: 'x' }] });
});

test('an app that did not change is the same object', async () => {
  await write('apps.json', [app('/a'), app('/b')]);
  const one = source(file('apps.json'));
  const first = await one.read(never);
  expect(await one.read(never)).toEqual(first);
  await write('apps.json', [app('/a'), app('/b', 'other:81')]);
  const second = await one.read(never);
  expect(second.apps[0]).toBe(first.apps[0]);
  expect(second.apps[1]).not.toBe(first.apps[1]);
});

test('a directory gives the apps of all its JSON files, in the order of their names', async () => {
  await write('b.json', app('/b'));
  await write('a.json', [app('/a')]);
  await write('.hidden.json', app('/hidden'));
  await write('readme.txt', app('/text'));
  await mkdir(file('sub'));
  expect((await source(directory).read(never)).apps.map(({ id }) => id)).toEqual(['/a', '/b']);
});

test('an empty directory is a complete answer', async () => {
  expect(await source(directory).read(never)).toEqual({ apps: [], rejected: [], warnings: [] });
});

test('a bad file in a directory is rejected by its path, and what it last gave stays', async () => {
  await write('a.json', app('/a'));
  await write('b.json', app('/b'));
  const one = source(directory);
  await one.read(never);
  await writeFile(file('a.json'), '{"id":');
  const { apps, rejected } = await one.read(never);
  expect(apps.map(({ id }) => id)).toEqual(['/a', '/b']);
  expect(rejected).toMatchObject([
    { app: file('a.json'), at: '', reason: expect.stringContaining('line 1, column 7') },
  ]);
});

test('removing a file from a directory removes its apps', async () => {
  await write('a.json', app('/a'));
  await write('b.json', app('/b'));
  const one = source(directory);
  await one.read(never);
  await unlink(file('a.json'));
  expect((await one.read(never)).apps.map(({ id }) => id)).toEqual(['/b']);
});

test('an id that two files give counts once, and the other is reported', async () => {
  await write('a.json', app('/a', 'first:80'));
  await write('b.json', app('/a', 'second:80'));
  const { apps, rejected } = await source(directory).read(never);
  expect(apps).toMatchObject([{ id: '/a', ports: [{ labels: { VIP_0: 'first:80' } }] }]);
  expect(rejected).toMatchObject([{ app: '/a', at: 'id', reason: expect.stringContaining('b.json') }]);
});

test('agents are resolved, and again when nothing else changed', async () => {
  const task = { id: 't', host: 'agent.example', state: 'TASK_RUNNING', ports: [31000] };
  await write('apps.json', { ...app('/a'), tasks: [task] });
  const names: Record<string, string> = {};
  const one = source(file('apps.json'), { resolver: namesOf(names) });
  expect((await one.read(never)).apps[0]?.tasks[0]?.ports[0]).toMatchObject({
    endpoints: [],
    unresolved: expect.any(String),
  });
  names['agent.example'] = '10.0.0.9';
  expect((await one.read(never)).apps[0]?.tasks[0]?.ports[0]?.endpoints).toEqual([
    { address: '10.0.0.9', port: 31000 },
  ]);
});

test('following publishes a change within moments', async () => {
  await write('apps.json', [app('/a')]);
  const listener = await followed(file('apps.json'));
  const before = systemClock.monotonic();
  await write('apps.json', [app('/a'), app('/b')]);
  await until('the change is reported', () => listener.app('/b') !== undefined);
  expect(listener.reads.at(-1)?.complete).toBe(true);
  expect(listener.reads.at(-1)?.since).toBeGreaterThanOrEqual(before);
});

test('following sees a file that is replaced by rename', async () => {
  await write('apps.json', [app('/a')]);
  const listener = await followed(file('apps.json'));
  for (const id of ['/b', '/c']) {
    await write('new', [app(id)]);
    await rename(file('new'), file('apps.json'));
    await until('the new file is read', () => listener.app(id) !== undefined);
  }
});

test('following sees a link that is pointed elsewhere, as Kubernetes does with mounted files', async () => {
  for (const [version, id] of [
    ['v1', '/a'],
    ['v2', '/b'],
  ] as const) {
    await mkdir(file(version));
    await writeFile(join(file(version), 'apps.json'), JSON.stringify([app(id)]));
  }
  await symlink('v1', file('..data'));
  await symlink(join('..data', 'apps.json'), file('apps.json'));
  const listener = await followed(file('apps.json'));
  await symlink('v2', file('next'));
  await rename(file('next'), file('..data'));
  await until('the other file is read', () => listener.app('/b') !== undefined);
});

test('a followed file that becomes bad is reported as a failure, and the last good state stays', async () => {
  await write('apps.json', [app('/a')]);
  const listener = await followed(file('apps.json'));
  await writeFile(file('apps.json'), '[');
  await until('the failure is reported', () =>
    listener.errors.some(({ message }) => message.includes('line 1, column 2')),
  );
  await write('apps.json', [app('/b')]);
  await until('it is mended', () => listener.app('/b') !== undefined);
  expect(listener.snapshots.every(({ apps }) => apps.length === 1)).toBe(true);
});

test('following starts even if the file is created later', async () => {
  const listener = await followed(file('apps.json'));
  expect(listener.errors[0]?.message).toContain('there is no such file');
  await write('apps.json', [app('/a')]);
  await until('the file is read', () => listener.app('/a') !== undefined);
});

test('a change that the system does not report is seen by the poll', async () => {
  // A watch on the directory does not see what happens behind a link into another one.
  await mkdir(file('elsewhere'));
  await mkdir(file('watched'));
  await writeFile(file('elsewhere/apps.json'), JSON.stringify([app('/a')]));
  await symlink(file('elsewhere/apps.json'), file('watched/apps.json'));
  const listener = await followed(file('watched/apps.json'), { pollMs: 20 });
  await writeFile(file('elsewhere/apps.json'), JSON.stringify([app('/b')]));
  await until('the poll finds it', () => listener.app('/b') !== undefined);
});

test('a poll that finds nothing new is a good read of no change', async () => {
  await write('apps.json', [app('/a')]);
  const listener = await followed(file('apps.json'), { pollMs: 10 });
  await until('it was polled', () => listener.snapshots.length > 3);
  expect(listener.deltas.slice(1).every(isEmpty)).toBe(true);
});

test('following ends when it is aborted', async () => {
  await write('apps.json', [app('/a')]);
  const listener = new TestListener();
  const run = source(file('apps.json')).follow(listener, stop.signal);
  await until('the first read', () => listener.snapshots.length === 1);
  stop.abort();
  await expect(run).resolves.toBeUndefined();
  await write('apps.json', [app('/b')]);
  await systemClock.sleep(30);
  expect(listener.app('/b')).toBeUndefined();
});

test('only the changed file of a directory is read', async () => {
  const asked: string[] = [];
  const resolve = async (host: string) => {
    asked.push(host);
    return '10.0.0.1';
  };
  const on = (id: string, fields: object = {}) => ({
    ...app(id),
    tasks: [{ id: `t${id.slice(1)}`, host: `host-${id.slice(1)}`, state: 'TASK_RUNNING', ports: [31000] }],
    ...fields,
  });
  for (const id of ['/a', '/b', '/c']) await write(`${id.slice(1)}.json`, [on(id)]);
  const listener = await followed(directory, { resolver: { resolve } });
  expect(new Set(asked)).toEqual(new Set(['host-a', 'host-b', 'host-c']));
  asked.length = 0;
  await write('b.json', [on('/b', { portDefinitions: [{ labels: { VIP_0: 'other:81' } }] })]);
  await until('it is reported', () => listener.app('/b')?.ports[0]?.labels['VIP_0'] === 'other:81');
  expect(new Set(asked)).toEqual(new Set(['host-b']));
  await unlink(file('a.json'));
  await until('it is gone', () => listener.app('/a') === undefined);
  expect(listener.app('/c')).toBeDefined();
});
