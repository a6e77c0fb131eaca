import { expect, test } from '@jest/globals';
import { readSlice } from '../../../../controller/kubernetes/endpoint-slice.ts';
import type { App } from '../../../../controller/model/app.ts';
import { Pace } from '../../../../controller/pace.ts';
import { Catalogue } from '../../../../controller/source/kubernetes/catalogue.ts';
import { readDeclaredObject } from '../../../../controller/source/kubernetes/object.ts';
import { LastGood } from '../../../../controller/source/last-good.ts';
import { reached } from '../support.ts';

const object = (spec: object, generation = 1) =>
  readDeclaredObject({
    metadata: { name: 'a', namespace: 'shop', uid: 'a', generation, resourceVersion: String(generation) },
    spec: { endpoints: { service: 'a' }, ...spec },
  });
const app = (fields: object = {}) => ({
  id: '/a',
  networks: [{ mode: 'container' }],
  container: { portMappings: [{ containerPort: 8080, labels: { VIP_0: '/a:80' } }] },
  ...fields,
});
const GOOD = object({ app: app() });
const UNREADABLE = object({ app: app({ networks: 7 }) }, 2);

const slice = (endpoints: readonly object[], service = 'a') =>
  readSlice({
    metadata: {
      name: `${service}-1`,
      namespace: 'shop',
      resourceVersion: '1',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints,
  });
const pod = (name: string, address: string, conditions: object = {}) => ({
  addresses: [address],
  conditions,
  targetRef: { name },
});
const [ONE, TWO] = [pod('a-1', '10.0.0.1'), pod('a-2', '10.0.0.2')];

/** A catalogue of another process than the one that saved what the good object, with both pods, gave. */
async function restarted() {
  const before = new Catalogue();
  before.sliceChanged(null, slice([ONE, TWO]));
  before.objectChanged(null, GOOD);
  const { apps } = await before.snapshot(new Pace());
  const loads: string[] = [];
  const lastGood = new LastGood('kubernetes', async (source) => {
    loads.push(source);
    return { apps };
  });
  return { catalogue: new Catalogue(undefined, lastGood), loads };
}

const state = new Map<string, App | null>();
async function taken(catalogue: Catalogue) {
  state.clear();
  const { rejected } = await catalogue.take(state, new Pace());
  const found = [...state.values()].flatMap((each) =>
    each === null
      ? 'gone'
      : each.tasks.map(
          (task) => `${task.ports[0]?.labels['VIP_0']} ${task.id} ${task.health} ${reached(task)}`,
        ),
  );
  return {
    found,
    rejected: [...[...state.values()].flatMap((each) => each?.rejected ?? []), ...rejected].map(
      ({ at }) => at,
    ),
  };
}

test('an object that cannot be used at the first read declares what it did before', async () => {
  const { catalogue, loads } = await restarted();
  catalogue.sliceChanged(null, slice([ONE, TWO]));
  catalogue.objectChanged(null, UNREADABLE);
  expect(await taken(catalogue)).toEqual({
    found: ['/a:80 a-1 healthy 10.0.0.1:8080', '/a:80 a-2 healthy 10.0.0.2:8080'],
    rejected: ['networks'],
  });
  expect(loads).toEqual(['kubernetes']);
});

test('its pods are those of today, where they are at an address that one had', async () => {
  const { catalogue } = await restarted();
  const today = slice([
    pod('a-1', '10.0.0.1', { ready: false }),
    pod('a-2', '10.0.0.9'),
    pod('a-3', '10.0.0.3'),
  ]);
  catalogue.sliceChanged(null, today);
  catalogue.objectChanged(null, UNREADABLE);
  expect((await taken(catalogue)).found).toEqual(['/a:80 a-1 unhealthy 10.0.0.1:8080']);
  catalogue.sliceChanged(today, slice([]));
  expect((await taken(catalogue)).found).toEqual([]);
});

test('where its endpoints cannot be read either, its pods are found in the slices of its namespace', async () => {
  const { catalogue } = await restarted();
  catalogue.sliceChanged(null, slice([ONE]));
  catalogue.sliceChanged(null, slice([pod('b-1', '10.0.0.7')], 'b'));
  catalogue.objectChanged(null, object({ endpoints: 7, app: app() }, 2));
  expect((await taken(catalogue)).found).toEqual(['/a:80 a-1 healthy 10.0.0.1:8080']);
});

test('it follows its object once that is usable, and is removed with it', async () => {
  const { catalogue } = await restarted();
  catalogue.sliceChanged(null, slice([ONE]));
  catalogue.objectChanged(null, UNREADABLE);
  await taken(catalogue);
  const mended = object(
    { app: app({ container: { portMappings: [{ containerPort: 8080, labels: { VIP_0: '/b:80' } }] } }) },
    3,
  );
  catalogue.objectChanged(UNREADABLE, mended);
  expect(await taken(catalogue)).toEqual({ found: ['/b:80 a-1 healthy 10.0.0.1:8080'], rejected: [] });
  catalogue.objectChanged(mended, null);
  expect((await taken(catalogue)).found).toEqual(['gone']);
});

test('usable objects are used as they are, without a read of the saved state, at the first read and later', async () => {
  const { catalogue, loads } = await restarted();
  catalogue.sliceChanged(null, slice([ONE]));
  catalogue.objectChanged(null, GOOD);
  expect((await taken(catalogue)).found).toEqual(['/a:80 a-1 healthy 10.0.0.1:8080']);
  catalogue.objectChanged(GOOD, null);
  catalogue.objectChanged(null, UNREADABLE);
  expect((await taken(catalogue)).found).toEqual(['gone']);
  expect(loads).toEqual([]);
});

test('an object that cannot be read at all reads the saved state, for what that has of others', async () => {
  const { catalogue, loads } = await restarted();
  catalogue.objectChanged(null, GOOD);
  catalogue.setUnread('MarathonApp', [{ key: 'shop/b', reason: 'expected an object', isUnknown: true }]);
  expect(await unknownOf(catalogue)).toEqual(['MarathonApp shop/b']);
  expect(loads).toEqual(['kubernetes']);
});

const unknownOf = async (catalogue: Catalogue) =>
  (await catalogue.take(new Map(), new Pace())).unknown?.map(({ part }) => part) ?? [];

test('an object that was never valid is unknown until it is, or is deleted; not where what was saved lacks it', async () => {
  const fresh = new Catalogue(undefined, new LastGood('kubernetes'));
  fresh.objectChanged(null, UNREADABLE);
  expect(await unknownOf(fresh)).toEqual(['MarathonApp shop/a']);
  fresh.objectChanged(UNREADABLE, object({ app: app() }, 3));
  expect(await unknownOf(fresh)).toEqual([]);
  // Now it has a last good state.
  fresh.objectChanged(GOOD, object({ app: app({ networks: 7 }) }, 4));
  expect(await unknownOf(fresh)).toEqual([]);

  const deleted = new Catalogue(undefined, new LastGood('kubernetes'));
  deleted.objectChanged(null, UNREADABLE);
  expect(await unknownOf(deleted)).toHaveLength(1);
  deleted.objectChanged(UNREADABLE, null);
  expect(await unknownOf(deleted)).toEqual([]);

  for (const [unknown, left] of [
    [[], []],
    [[{ part: 'MarathonApp shop/a', reason: 'x' }], ['MarathonApp shop/a']],
  ] as const) {
    const lastGood = new LastGood('kubernetes', async () => ({ apps: [], unknown }));
    const catalogue = new Catalogue(undefined, lastGood);
    catalogue.objectChanged(null, UNREADABLE);
    expect(await unknownOf(catalogue)).toEqual(left);
  }
});
