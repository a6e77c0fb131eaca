import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App, Health } from '../../../controller/model.ts';
import { same } from '../../../controller/same.ts';
import { Definitions } from '../../../controller/source/marathon/definitions.ts';
import { KeptHealth } from '../../../controller/source/marathon/kept-health.ts';
import { KeyedPool } from '../../../controller/source/marathon/keyed-pool.ts';
import { ReadQueue } from '../../../controller/source/marathon/read-queue.ts';

/** What the Marathon source is built of. */

const queueWith = (allowed = { list: true, items: true }) => {
  const queue = new ReadQueue();
  queue.allow(allowed);
  return queue;
};
const items = (queue: ReadQueue, now: number, limit = 10) =>
  [...queue.take(now, limit).items].map(([id, { since }]) => [id, since]);

test('what is requested twice is due once, at the earlier time, since the earlier request', () => {
  const queue = queueWith();
  queue.add('/a', 5, 100);
  queue.add('/a', 7, 50);
  queue.add('/b', null, 200);
  expect(items(queue, 49)).toEqual([]);
  expect(items(queue, 50)).toEqual([['/a', 5]]);
  expect(items(queue, 1000)).toEqual([['/b', null]]);
});

test('single items are due beside everything, each at its time', () => {
  const queue = queueWith();
  queue.add('/a', 5, 10);
  queue.add('/b', null, 999);
  queue.addRelist(7, 10);
  expect(queue.take(10, 10)).toMatchObject({ relist: { since: 7 }, tooMany: false });
  expect(items(queue, 999)).toEqual([['/b', null]]);
});

test('items that are more than the limit come with everything, which is to be read in their place', () => {
  const queue = queueWith();
  for (const [at, id] of ['/a', '/b', '/c'].entries()) queue.add(id, at + 1, 1);
  const due = queue.take(1, 2);
  expect(due).toMatchObject({ relist: { since: 1 }, tooMany: true });
  expect([...due.items.keys()]).toEqual(['/a', '/b', '/c']);
});

test('what is not allowed waits, however long it is due', () => {
  const queue = queueWith({ list: false, items: true });
  for (const id of ['/a', '/b', '/c']) queue.add(id, 1, 1);
  queue.addRelist(7, 1);
  expect(queue.take(100, 2)).toMatchObject({ relist: null, items: expect.any(Map), tooMany: false });
  queue.allow({ list: true, items: false });
  queue.add('/d', 1, 1);
  expect(queue.take(100, 2)).toEqual({ relist: { since: 7 }, items: new Map(), tooMany: false });
  queue.allow({ list: true, items: true });
  expect(items(queue, 100)).toEqual([['/d', 1]]);
});

test('a key whose job runs gets one more run after it, however often it is added', async () => {
  const runs: string[] = [];
  const release: (() => void)[] = [];
  const pool = new KeyedPool<number>(2, (key, value) => {
    runs.push(`${key}${value}`);
    return new Promise((resolve) => release.push(resolve));
  });
  pool.add('a', 1);
  pool.add('a', 2);
  pool.add('a', 3);
  pool.add('b', 4);
  pool.add('c', 5);
  expect(runs).toEqual(['a1', 'b4']);
  release[0]?.();
  await new Promise(setImmediate);
  expect(runs).toEqual(['a1', 'b4', 'a2']);
  release[2]?.();
  await new Promise(setImmediate);
  expect(runs).toEqual(['a1', 'b4', 'a2', 'c5']);
});

test('a pool that is stopped aborts what runs and forgets what waits', async () => {
  const runs: string[] = [];
  const pool = new KeyedPool<null>(1, (key, _value, signal) => {
    runs.push(key);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  });
  pool.add('a', null);
  pool.add('b', null);
  await pool.stop();
  expect(runs).toEqual(['a']);
});

test('a pool with another limit begins no more than that, and gives back what waits', async () => {
  const runs: string[] = [];
  const release: (() => void)[] = [];
  const pool = new KeyedPool<number>(1, (key) => {
    runs.push(key);
    return new Promise((resolve) => release.push(resolve));
  });
  for (const key of ['a', 'b', 'c', 'd']) pool.add(key, 1);
  pool.limitTo(2);
  expect(runs).toEqual(['a', 'b']);
  pool.limitTo(1);
  release[0]?.();
  await new Promise(setImmediate);
  expect(runs).toEqual(['a', 'b']);
  expect([...pool.takeWaiting().keys()]).toEqual(['c', 'd']);
  release[1]?.();
  await new Promise(setImmediate);
  expect(runs).toEqual(['a', 'b']);
});

const appWith = (health: Health): App => ({
  ...{ id: '/a', kind: 'app', framework: 'marathon', ports: [], rejected: [], warnings: [] },
  tasks: [{ id: 't', state: 'running', health, ports: [] }],
});

test.each<[Health, Health]>([
  ['healthy', 'healthy'],
  ['unhealthy', 'unhealthy'],
  ['unknown', 'unknown'],
  ['unchecked', 'unknown'],
])('a task that was %s and has no result now counts as %s', (before, expected) => {
  const hold = new KeptHealth(60, { epoch: () => 0, monotonic: () => 0, sleep: async () => undefined });
  expect(hold.apply(appWith(before), appWith('unknown')).app.tasks[0]?.health).toBe(expected);
});

test('a vanished result counts for its time from when it vanished, however often the task is read', () => {
  let now = 0;
  const hold = new KeptHealth(60, { epoch: () => 0, monotonic: () => now, sleep: async () => undefined });
  let app = appWith('healthy');
  for (now of [10, 40, 69]) {
    const held = hold.apply(app, appWith('unknown'));
    expect(held).toMatchObject({ until: 70, app: { tasks: [{ health: 'healthy' }] } });
    app = held.app;
  }
  now = 70;
  expect(hold.apply(app, appWith('unknown'))).toMatchObject({
    until: null,
    app: { tasks: [{ health: 'unknown' }] },
  });
});

test('a definition counts for all versions between the change of configuration and the last scaling', () => {
  const definitions = new Definitions<string>();
  definitions.remember('/a', '2020-01', '2020-01', () => 'first');
  definitions.remember('/a', '2020-01', '2020-03', () => 'never defined twice');
  definitions.remember('/a', '2020-05', '2020-05', () => 'second');
  const find = (version: string) => definitions.find('/a', version);
  expect(['2019-12', '2020-01', '2020-02', '2020-03', '2020-04', '2020-05'].map(find)).toEqual([
    ...[undefined, 'first', 'first', 'first', undefined, 'second'],
  ]);
  definitions.prune('/a', ['2020-05']);
  expect(find('2020-01')).toBeUndefined();
  definitions.pruneApps(() => false);
  expect(find('2020-05')).toBeUndefined();
});

test('two values of JSON are the same exactly when Node says so', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(fc.property(value, value, (a, b) => same(a, b) === isDeepStrictEqual(a, b)));
  fc.assert(fc.property(value, (a) => same(a, structuredClone(a))));
});
