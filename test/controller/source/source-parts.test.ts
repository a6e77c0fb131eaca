import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App, Health } from '../../../controller/model.ts';
import { same } from '../../../controller/same.ts';
import { Agenda } from '../../../controller/source/marathon/agenda.ts';
import { Definitions } from '../../../controller/source/marathon/definitions.ts';
import { HealthHold } from '../../../controller/source/marathon/health-hold.ts';
import { KeyedPool } from '../../../controller/source/marathon/keyed-pool.ts';

/** What the Marathon source is built of. */

const items = (agenda: Agenda, now: number, limit = 10) =>
  [...agenda.take(now, limit).items].map(([id, { since }]) => [id, since]);

test('what is asked for twice is due once, at the earlier time, since the earlier word', () => {
  const agenda = new Agenda();
  agenda.add('/a', 5, 100);
  agenda.add('/a', 7, 50);
  agenda.add('/b', null, 200);
  expect(items(agenda, 49)).toEqual([]);
  expect(items(agenda, 50)).toEqual([['/a', 5]]);
  expect(items(agenda, 1000)).toEqual([['/b', null]]);
});

test('everything takes all single items along, and the earliest word of those that are due', () => {
  const agenda = new Agenda();
  agenda.add('/a', 5, 10);
  agenda.add('/b', null, 999);
  agenda.addEverything(7, 10);
  expect(agenda.take(10, 10)).toEqual({ everything: { since: 5 }, items: new Map() });
  expect(agenda.take(999, 10)).toEqual({ everything: null, items: new Map() });
});

test('more items than the limit become everything', () => {
  const agenda = new Agenda();
  for (const id of ['/a', '/b', '/c']) agenda.add(id, 1, 1);
  expect(agenda.take(1, 2).everything).toEqual({ since: 1 });
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

test('a pool that is stopped aborts what runs and forgets what waits, and can be used again', async () => {
  const runs: string[] = [];
  const pool = new KeyedPool<null>(1, (key, _value, signal) => {
    runs.push(key);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  });
  pool.add('a', null);
  pool.add('b', null);
  await pool.stop();
  expect(runs).toEqual(['a']);
  pool.add('c', null);
  expect(runs).toEqual(['a', 'c']);
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
  const hold = new HealthHold(60, { epoch: () => 0, monotonic: () => 0, sleep: async () => undefined });
  expect(hold.apply(appWith(before), appWith('unknown')).app.tasks[0]?.health).toBe(expected);
});

test('a vanished result counts for its time from when it vanished, however often the task is read', () => {
  let now = 0;
  const hold = new HealthHold(60, { epoch: () => 0, monotonic: () => now, sleep: async () => undefined });
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
