import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { same } from '../../../controller/compare.ts';
import type { App, Health } from '../../../controller/model/app.ts';
import { KeptHealth } from '../../../controller/source/marathon/kept-health.ts';
import { KnownVersions } from '../../../controller/source/marathon/known-versions.ts';
import { type Allowed, ReadQueue } from '../../../controller/source/marathon/read-queue.ts';
import { systemClock } from '../../../controller/time.ts';

/** What the Marathon source is built of. */

const queueWith = (allowed: Partial<Allowed> = {}) =>
  new ReadQueue({ list: true, items: true, inFlight: 10, ...allowed });
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
  queue.allow({ list: true, items: false, inFlight: 10 });
  queue.add('/d', 1, 1);
  expect(queue.take(100, 2)).toEqual({ relist: { since: 7 }, items: new Map(), tooMany: false });
  queue.allow({ list: true, items: true, inFlight: 10 });
  expect(items(queue, 100)).toEqual([['/d', 1]]);
});

test('an item that is being read waits for that, however often it is added, and is then read once more', () => {
  const queue = queueWith();
  queue.add('/a', 1, 1);
  expect(items(queue, 1)).toEqual([['/a', 1]]);
  for (const since of [2, 3]) queue.add('/a', since, since);
  queue.add('/b', 4, 4);
  expect(items(queue, 4)).toEqual([['/b', 4]]);
  queue.done('/a');
  expect(items(queue, 4)).toEqual([['/a', 2]]);
});

test('no more items are taken than may be read at once, and the others keep their turn', () => {
  const queue = queueWith({ inFlight: 2 });
  for (const id of ['/a', '/b', '/c', '/d']) queue.add(id, 1, 1);
  const ids = () => items(queue, 1).map(([id]) => id);
  expect([ids(), ids()]).toEqual([['/a', '/b'], []]);
  queue.allow({ list: true, items: true, inFlight: 1 });
  queue.done('/a');
  expect(ids()).toEqual([]);
  queue.done('/b');
  expect(ids()).toEqual(['/c']);
});

test('while reads hang, so many items that a list costs less are taken for one', async () => {
  const queue = queueWith({ inFlight: 1 });
  queue.add('/hangs', 1, 1);
  queue.take(1, 2);
  const stop = new AbortController();
  const waits = (most: number) => {
    let waiting = true;
    void queue.wait(most, { ...systemClock, monotonic: () => 5 }, stop.signal).then(() => {
      waiting = false;
    });
    return new Promise<boolean>((resolve) => setImmediate(() => resolve(waiting)));
  };
  for (const id of ['/a', '/b', '/c']) queue.add(id, 2, 2);
  expect(await waits(2)).toBe(false);
  expect(queue.take(5, 2)).toMatchObject({ relist: { since: 2 }, tooMany: true });
  queue.add('/d', 6, 5);
  expect(await waits(2)).toBe(true);
  stop.abort();
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
  const definitions = new KnownVersions<string>();
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
