import { describe, expect, test } from '@jest/globals';
import { readSlice, type Slice } from '../../../../controller/kubernetes/endpoint-slice.ts';
import type { App } from '../../../../controller/model/app.ts';
import { Pace } from '../../../../controller/pace.ts';
import { Catalogue } from '../../../../controller/source/kubernetes/catalogue.ts';
import { type DeclaredObject, readDeclaredObject } from '../../../../controller/source/kubernetes/object.ts';
import { type Reads, watched } from '../watched.ts';

interface Given {
  readonly id?: string;
  readonly age?: number;
  readonly generation?: number;
  readonly service?: string;
  readonly vips?: number;
}

function object(
  name: string,
  { id = `/${name}`, age = 0, generation = 1, service = name, vips = 1 }: Given = {},
): DeclaredObject {
  const labels = Object.fromEntries(
    Array.from({ length: vips }, (_, i) => [`VIP_${i}`, `/${name}:${80 + i}`]),
  );
  const portMappings = [{ containerPort: 8080, labels }];
  return readDeclaredObject({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      generation,
      resourceVersion: String(generation),
      creationTimestamp: new Date(Date.UTC(2026, 0, 1) - age * 1_000).toISOString(),
    },
    spec: {
      endpoints: { service },
      app: { id, networks: [{ mode: 'container' }], container: { portMappings } },
    },
  });
}

function slice(service: string, ...addresses: readonly string[]): Slice {
  const labels = { 'kubernetes.io/service-name': service };
  return readSlice({
    metadata: { name: `${service}-1`, namespace: 'shop', resourceVersion: addresses.join(), labels },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  });
}

/** `/a 10.0.0.1` for each app that changed; `/a gone`. */
async function taken(catalogue: Catalogue): Promise<readonly string[]> {
  const changed = new Map<string, App | null>();
  await catalogue.take(changed, new Pace());
  return [...changed].map(([key, app]) => `${key.split(' ').at(-1)} ${app === null ? 'gone' : reached(app)}`);
}

function reached({ tasks }: App): string {
  return tasks
    .flatMap(({ ports }) => ports.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)))
    .join();
}

async function rejected(catalogue: Catalogue): Promise<readonly string[]> {
  const { rejected } = await catalogue.take(new Map(), new Pace());
  return rejected.map(({ app, reason }) => `${app}: ${reason}`);
}

test('a change is reported the apps that it concerns, and of no other one', async () => {
  const catalogue = new Catalogue();
  for (const name of ['a', 'b']) catalogue.objectChanged(null, object(name));
  const one = slice('a', '10.0.0.1');
  catalogue.sliceChanged(null, one);
  expect(await taken(catalogue)).toEqual(['/a 10.0.0.1', '/b ']);
  expect(await taken(catalogue)).toEqual([]);

  catalogue.sliceChanged(one, slice('a', '10.0.0.1', '10.0.0.2'));
  expect(await taken(catalogue)).toEqual(['/a 10.0.0.1,10.0.0.2']);
  expect(catalogue.sliceChanged(null, slice('other', '10.0.0.9'))).toBe(false);
  catalogue.objectChanged(object('b'), null);
  expect(await taken(catalogue)).toEqual(['/b gone']);
});

describe('of objects that declare one app', () => {
  test('the oldest counts, and the next one does when that is gone', async () => {
    const catalogue = new Catalogue();
    const [young, old] = [object('young', { id: '/web', age: 1 }), object('old', { id: '/web', age: 2 })];
    catalogue.sliceChanged(null, slice('young', '10.0.0.1'));
    catalogue.sliceChanged(null, slice('old', '10.0.0.2'));
    catalogue.objectChanged(null, young);
    expect(await taken(catalogue)).toEqual(['/web 10.0.0.1']);
    catalogue.objectChanged(null, old);
    expect(await taken(catalogue)).toEqual(['/web 10.0.0.2']);
    expect(await rejected(catalogue)).toEqual([
      '/web: this id in MarathonApp shop/young was given before; the first one counts',
    ]);
    catalogue.objectChanged(old, null);
    expect(await taken(catalogue)).toEqual(['/web 10.0.0.1']);
    expect(await rejected(catalogue)).toEqual([]);
  });

  test('one that declares another app now leaves the first to the other', async () => {
    const catalogue = new Catalogue();
    const before = object('old', { id: '/web', age: 2 });
    catalogue.sliceChanged(null, slice('old', '10.0.0.2'));
    catalogue.objectChanged(null, before);
    catalogue.objectChanged(null, object('young', { id: '/web', age: 1, service: 'old' }));
    expect(await taken(catalogue)).toEqual(['/web 10.0.0.2']);
    catalogue.objectChanged(before, object('old', { id: '/new', age: 2, generation: 2 }));
    expect((await taken(catalogue)).toSorted()).toEqual(['/new 10.0.0.2', '/web 10.0.0.2']);
    expect(await rejected(catalogue)).toEqual([]);
  });
});

test('an app is listed if a list had any part in its change, also when events followed', async () => {
  const catalogue = new Catalogue();
  for (const name of ['a', 'b', 'c']) catalogue.objectChanged(null, object(name), 'event');
  const one = slice('a', '10.0.0.1');
  catalogue.sliceChanged(null, one, 'event');
  catalogue.sliceChanged(one, slice('a', '10.0.0.2'), 'list');
  catalogue.objectChanged(object('b'), null, 'list');
  catalogue.objectChanged(null, object('b'), 'event');
  const listed = async () => {
    const found = new Set<string>();
    await catalogue.take(new Map(), new Pace(), found);
    return [...found].map((key) => key.split(' ').at(-1));
  };
  expect(await listed()).toEqual(['/a', '/b']);
  catalogue.objectChanged(object('a'), null, 'event');
  expect(await listed()).toEqual([]);
});

test('what cannot be used is reported until it can be, and what it last gave stays', async () => {
  const catalogue = new Catalogue();
  const broken = { ...object('a', { generation: 2 }), declaration: refusal('/a', 'broken') };
  catalogue.objectChanged(null, object('a'));
  catalogue.sliceChanged(null, slice('a', '10.0.0.1'));
  catalogue.objectChanged(null, broken);
  catalogue.objectChanged(null, { ...object('b'), declaration: refusal('/b', 'never good') });
  expect(await taken(catalogue)).toEqual(['/a 10.0.0.1']);
  expect(await rejected(catalogue)).toEqual(['/b: never good']);
  catalogue.objectChanged(null, object('b', { generation: 2 }));
  expect(await taken(catalogue)).toEqual(['/b ']);
  expect(await rejected(catalogue)).toEqual([]);
});

test('an app whose VIPs would have too many backends keeps what it last gave, of endpoints that are there', async () => {
  const catalogue = new Catalogue();
  catalogue.objectChanged(null, object('a', { vips: 1_000 }));
  const few = slice('a', '10.0.0.1', '10.0.0.2');
  catalogue.sliceChanged(null, few);
  expect(await taken(catalogue)).toEqual(['/a 10.0.0.1,10.0.0.2']);
  const many = Array.from({ length: 101 }, (_, i) => `10.0.0.${i + 2}`);
  catalogue.sliceChanged(few, slice('a', ...many));
  const changed = new Map<string, App | null>();
  await catalogue.take(changed, new Pace());
  const [app] = changed.values();
  expect(app && reached(app)).toBe('10.0.0.2');
  expect(app?.rejected).toMatchObject([{ app: '/a', value: '1000 VIPs on 101 tasks' }]);
  expect(Object.keys(app?.ports[0]?.labels ?? {})).toHaveLength(1_000);
});

describe('an app of many ports and endpoints', () => {
  const metadata = { name: 'a', namespace: 'shop', resourceVersion: '1' };
  const many = (addresses: number, ports: readonly object[], version?: string): Slice =>
    readSlice({
      metadata: {
        ...metadata,
        labels: { 'kubernetes.io/service-name': 'a', ...(version && { 'marathon-ipvs.io/ports': version }) },
      },
      addressType: 'IPv4',
      ports,
      endpoints: Array.from({ length: addresses }, (_, i) => ({ addresses: [`10.0.${i >> 8}.${i & 255}`] })),
    });
  const appOf = async (spec: object, ...slices: readonly Slice[]) => {
    const catalogue = new Catalogue();
    catalogue.objectChanged(
      null,
      readDeclaredObject({ metadata, spec: { endpoints: { service: 'a' }, ...spec } }),
    );
    for (const each of slices) catalogue.sliceChanged(null, each);
    const { apps } = await catalogue.snapshot(new Pace());
    return apps[0];
  };

  test('has only ports with a VIP, each paired as if the others were there', async () => {
    const portDefinitions = [
      { name: 'admin' },
      { labels: { VIP_0: '/a:80' } },
      ...Array.from({ length: 998 }, (_, i) => ({ name: `p${i}` })),
    ];
    const ports = [
      { name: 'admin', port: 9090 },
      { name: 'http', port: 8080 },
    ];
    const definition = { id: '/a', portDefinitions };
    const few = await appOf({ app: definition }, many(1, ports));
    expect(few?.tasks[0]?.ports).toHaveLength(1_000);
    const app = await appOf({ app: definition }, many(200, ports));
    expect(app?.tasks).toHaveLength(200);
    expect(app?.ports).toHaveLength(1_000);
    expect(app?.tasks[199]?.ports).toMatchObject([{ at: 'portDefinitions[1]', endpoints: [{ port: 8080 }] }]);
  });

  test('that a relay has written is refused like any other, by what the tasks of each version have', async () => {
    const relayedPort = (at: number, vips: number) => ({
      at: `portDefinitions[${at}]`,
      protocols: ['tcp'],
      labels: Object.fromEntries(Array.from({ length: vips }, (_, i) => [`VIP_${i}`, `/a:${i + 1}`])),
      mode: 'host',
      backendAddress: 'agent',
    });
    const old = { name: 'old', ports: [relayedPort(0, 1_000)] };
    const relayed = { id: '/a', kind: 'app', ports: [relayedPort(0, 1)], version: 'new', versions: [old] };
    const named = (addresses: number, version: string) =>
      many(addresses, [{ name: 'p0', port: 31_000 }], version);
    const refused = await appOf({ relayed }, named(101, 'old'));
    expect(refused?.rejected).toMatchObject([{ app: '/a', value: '1000 VIPs on 101 tasks' }]);
    expect(refused?.tasks[0]?.ports).toEqual([]);
    const allowed = await appOf({ relayed }, named(200, 'new'));
    expect(allowed?.rejected).toEqual([]);
    expect(allowed?.tasks[0]?.ports).toHaveLength(1);
  });
});

test('a part that does not concern an app stays the same object while it is unchanged', async () => {
  const catalogue = new Catalogue();
  catalogue.objectChanged(null, { ...object('b'), declaration: refusal('/b', 'never good') });
  const before = await catalogue.take(new Map(), new Pace());
  catalogue.objectChanged(null, object('a'));
  expect(await catalogue.take(new Map(), new Pace())).toBe(before);
});

test('an event costs the same with a thousand apps as with ten', async () => {
  const ofTen = await readsOfOneEvent(10);
  expect(ofTen).toBeGreaterThan(0);
  expect(await readsOfOneEvent(1_000)).toBe(ofTen);
});

/** How often anything of any object is read for one slice and one object that change, and one that goes. */
async function readsOfOneEvent(apps: number): Promise<number> {
  const catalogue = new Catalogue();
  const reads: Reads = { count: 0 };
  const slices: Slice[] = [];
  const objects: DeclaredObject[] = [];
  for (let i = 0; i < apps; i += 1) {
    objects.push(watched(object(`app-${i}`), reads));
    slices.push(watched(slice(`app-${i}`, '10.0.0.1'), reads));
    catalogue.objectChanged(null, objects.at(-1) ?? null);
    catalogue.sliceChanged(null, slices.at(-1) ?? null);
  }
  await catalogue.take(new Map(), new Pace());
  reads.count = 0;
  const [first = null, second = null] = slices;
  catalogue.sliceChanged(first, slice('app-0', '10.0.0.2'));
  catalogue.objectChanged(objects[1] ?? null, watched(object('app-1', { generation: 2 }), reads));
  catalogue.objectChanged(objects[2] ?? null, null);
  catalogue.sliceChanged(second, null);
  expect(await taken(catalogue)).toHaveLength(3);
  return reads.count;
}

function refusal(app: string, reason: string) {
  return { app, at: '', value: '', reason };
}
