import { describe, expect, test } from '@jest/globals';
import { kubernetesSource } from '../../../../controller/source/kubernetes/source.ts';
import type { TestKubernetes } from '../../../support/kubernetes/start-kubernetes.ts';
import type { KubeObject } from '../../../support/kubernetes/types.ts';
import { until } from '../support.ts';
import {
  addressesOf,
  asked,
  clientOf,
  clock,
  follow,
  never,
  removeApp,
  startFollowing,
  startServer,
  writeApp,
  writeSlice,
} from './setup.ts';

test('an API server that becomes unreachable changes nothing, and the watch resumes where it was', async () => {
  const server = await startServer();
  writeApp(server, 'web');
  writeSlice(server, 'web', '10.0.0.1');
  const listener = await follow(await clientOf(server));
  const before = listener.last;
  server.forgetRequests();
  const told0 = listener.snapshots.length;

  const away = server.restart(300, false);
  writeSlice(server, 'web', '10.0.0.1', '10.0.0.2');
  writeApp(server, 'other');
  await away;
  await until('the change is reported', () => addressesOf(listener, '/web') === '10.0.0.1,10.0.0.2');
  await until('the other app is reported', () => listener.app('/other') !== undefined);
  expect(listener.snapshots.slice(told0 - 1)[0]).toBe(before);
  expect([...asked(server, 'marathonapps'), ...asked(server, 'endpointslices')]).not.toContain('list');
});

test('a server that has forgotten our version is listed again, and only differences are published', async () => {
  const server = await startServer();
  for (const name of ['a', 'b', 'c']) writeApp(server, name);
  const listener = await follow(await clientOf(server));
  const kept = listener.app('/a');
  const away = server.restart(100, true);
  removeApp(server, 'b');
  writeApp(server, 'd');
  server.operations.storage.compact();
  await away;
  await until(
    'the difference is published',
    () => listener.app('/d') !== undefined && listener.app('/b') === undefined,
  );
  expect(listener.last.apps.map(({ id }) => id)).toEqual(['/a', '/c', '/d']);
  expect(listener.app('/a')).toBe(kept);
  expect(listener.reads.every(({ complete }) => complete)).toBe(true);
});

test('410 in the midst of a watch costs one list, and no failure is reported', async () => {
  const server = await startServer();
  writeApp(server, 'web');
  const listener = await follow(await clientOf(server));
  server.forgetRequests();
  server.operations.storage.compact();
  writeApp(server, 'other');
  server.operations.storage.compact();
  server.endWatches('cut');
  await until('the other app is reported', () => listener.app('/other') !== undefined);
  expect(asked(server, 'marathonapps').filter((request) => request === 'list')).toEqual(['list']);
});

test('pages whose version was dropped on the way are requested again as one list', async () => {
  const server = await startServer();
  for (let i = 0; i < 1_200; i += 1) writeApp(server, `app-${i}`);
  const client = await clientOf(server);
  server.faults.next(({ path }) => path.endsWith('marathonapps') && server.requests.length > 1, {
    status: 410,
    body: {
      kind: 'Status',
      code: 410,
      reason: 'Expired',
      message: 'The provided continue parameter is too old',
    },
  });
  const source = kubernetesSource(client, { context: '', clock });
  expect((await source.read(never)).apps).toHaveLength(1_200);
  const lists = server.requests.filter(({ path }) => path.endsWith('marathonapps')).map(({ query }) => query);
  expect(lists.at(-1)).toBe('');
});

test('a thousand objects come in pages of 500, of one version', async () => {
  const server = await startServer();
  for (let i = 0; i < 1_200; i += 1) writeApp(server, `app-${i}`);
  const source = kubernetesSource(await clientOf(server), { context: '', clock });
  expect((await source.read(never)).apps).toHaveLength(1_200);
  expect(asked(server, 'marathonapps')).toEqual(['list', 'list', 'list']);
});

describe('a server that asks clients to wait', () => {
  test('429 while the storage of a new kind is made: the first read waits for it', async () => {
    const server = await startServer({ initialisingMs: 400 });
    const source = kubernetesSource(await clientOf(server), { context: '', clock });
    await expect(source.read(never)).resolves.toMatchObject({ apps: [] });
    expect(server.requests.map(({ status }) => status)).toContain(429);
  });

  test.each([429, 503])(
    '%i: what was published stays, and it is asked again no sooner than it says',
    async (status) => {
      const server = await startServer();
      writeApp(server, 'web');
      const listener = await follow(await clientOf(server));
      const body = { kind: 'Status', code: status, message: 'too many requests, please try again later' };
      server.faults.next(({ watch }) => watch, { status, body, headers: { 'retry-after': '5' } }, 2);
      const from = clock.monotonic();
      server.endWatches('cut');
      await until('the failure is reported', () =>
        listener.errors.some(({ message }) => message.includes(`answered ${status}`)),
      );
      expect(listener.app('/web')).toBeDefined();
      writeApp(server, 'other');
      await until('it follows again', () => listener.app('/other') !== undefined);
      expect(clock.monotonic() - from).toBeGreaterThan(5_000);
    },
  );
});

test('a kind that is not there is a failure with advice, never an empty cluster', async () => {
  const server = await startServer();
  writeApp(server, 'web');
  server.faults.next(
    ({ path }) => path.endsWith('marathonapps'),
    { status: 404, body: '404 page not found', headers: { 'content-type': 'text/plain' } },
    3,
  );
  const client = await clientOf(server);
  const source = kubernetesSource(client, { context: '', clock });
  await expect(source.read(never)).rejects.toThrow(/answered 404 .*crd\.yaml/);
  const listener = startFollowing(client);
  await until('the app is reported', () => listener.snapshots.length > 0);
  expect(listener.errors.length).toBeGreaterThan(0);
  expect(listener.snapshots.every(({ apps }) => apps.length === 1)).toBe(true);
});

test('an answer that is cut short is a failure, not fewer apps', async () => {
  const server = await startServer();
  for (const name of ['a', 'b']) writeApp(server, name);
  const whole = JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] });
  for (const body of ['', whole.slice(0, 20), '{"items":[]}', '{"metadata":{"resourceVersion":"1"}}', '[]']) {
    server.faults.next(({ path }) => path.endsWith('marathonapps'), { status: 200, body });
    const source = kubernetesSource(await clientOf(server), { context: '', clock });
    await expect(source.read(never)).rejects.toThrow(/marathonapps/);
  }
});

test.each([1, 7, 100])('events are whole however the bytes are cut (%i a chunk)', async (chunkBytes) => {
  const server = await startServer();
  const listener = await follow(await clientOf(server));
  server.faults.chunkBytes = chunkBytes;
  for (let i = 0; i < 5; i += 1) writeApp(server, `web-${i}`, `/wéb-${i}:80`);
  await until('all are reported', () => listener.last.apps.length === 5);
  expect(listener.app('/web-4')?.ports[0]?.labels).toEqual({ VIP_0: '/wéb-4:80' });
  expect(listener.errors).toEqual([]);
});

test('an event that is cut in the middle is not lost', async () => {
  const server = await startServer();
  const listener = await follow(await clientOf(server));
  server.faults.chunkBytes = 10;
  writeApp(server, 'web');
  setImmediate(() => server.endWatches('cut'));
  await until('it is reported', () => listener.app('/web') !== undefined);
});

test('a line that is no JSON ends the watch, and nothing after it is lost', async () => {
  const server = await startServer();
  const listener = await follow(await clientOf(server));
  server.faults.next(({ watch, path }) => watch && path.endsWith('marathonapps'), {
    status: 200,
    body: '{"type":"ADDED",oops}\n',
  });
  server.endWatches('cut');
  writeApp(server, 'web');
  await until('it is reported', () => listener.app('/web') !== undefined);
  expect(listener.errors.map(({ message }) => message).join()).toMatch(/JSON/);
});

test('a watch that sends nothing, no bookmark either, is opened again', async () => {
  const server = await startServer({ bookmarkMs: 50 });
  const listener = await follow(await clientOf(server), { watchSilenceMs: 500 });
  server.faults.silent = true;
  server.forgetRequests();
  await until('it is opened again', () => asked(server, 'marathonapps').includes('watch'));
  server.faults.silent = false;
  writeApp(server, 'web');
  await until('it follows', () => listener.app('/web') !== undefined);
  expect(listener.errors.length).toBeGreaterThan(0);
});

test('bookmarks keep a quiet watch from going on at a version that is long gone', async () => {
  const server = await startServer({ bookmarkMs: 20 });
  writeApp(server, 'web');
  const listener = await follow(await clientOf(server));
  // Another kind's changes count too: the version of our last event grows old without any change of ours.
  for (let i = 0; i < 50; i += 1) writeSlice(server, `other-${i}`, '10.0.0.1');
  const bookmarks = server.operations.storage.revision;
  await new Promise((resolve) => setTimeout(resolve, 100));
  server.operations.storage.compact();
  server.forgetRequests();
  server.endWatches('end');
  await until('it watches again', () => asked(server, 'marathonapps').includes('watch'));
  const [again] = server.requests.filter(
    ({ path, query }) => path.endsWith('marathonapps') && query.includes('watch'),
  );
  expect(Number(new URLSearchParams(again?.query).get('resourceVersion'))).toBeGreaterThanOrEqual(bookmarks);
  expect(asked(server, 'marathonapps')).not.toContain('list');
  expect(listener.errors).toEqual([]);
});

test('one kind that cannot be watched holds back the other: a part of the truth is not published', async () => {
  const server = await startServer();
  writeApp(server, 'web');
  const listener = await follow(await clientOf(server));
  server.forgetRequests();
  server.faults.next(({ path }) => path.endsWith('endpointslices'), { status: 500, body: 'oops' }, 4);
  server.endWatches('cut');
  await until('the failure is reported', () => listener.errors.length > 0);
  writeApp(server, 'other');
  await until('it follows again', () => listener.app('/other') !== undefined);
  const failed = server.requests.filter(({ status }) => status === 500);
  expect(failed).toHaveLength(4);
});

test('a change after quiet is published at once, and what follows it is gathered', async () => {
  const server = await startServer();
  const sleeps: number[] = [];
  const gatherMs = 3_000;
  const recording = {
    ...clock,
    sleep: (ms: number, signal?: AbortSignal) => {
      if (ms <= gatherMs) sleeps.push(ms);
      return clock.sleep(ms, signal);
    },
  };
  const listener = startFollowing(await clientOf(server), { clock: recording, gatherMs });
  await until('the first read', () => listener.snapshots.length > 0);
  await clock.sleep(2 * gatherMs);
  sleeps.splice(0);
  writeApp(server, 'a');
  await until('the first is reported', () => listener.app('/a') !== undefined);
  expect(sleeps).toEqual([]);

  const before = listener.snapshots.length;
  writeApp(server, 'b');
  await until('the second waits', () => sleeps.length > 0);
  writeApp(server, 'c');
  await until(
    'both are reported',
    () => listener.app('/b') !== undefined && listener.app('/c') !== undefined,
  );
  expect(listener.snapshots).toHaveLength(before + 1);
});

/** Stores what no real API server would, as a broken one or a proxy may report it. */
function garble(
  server: TestKubernetes,
  kind: string,
  name: string,
  change: (object: KubeObject) => void,
): void {
  const key = `default/${name}`;
  const object = structuredClone(server.operations.storage.get(kind, key));
  if (object === null) throw new Error(`no ${kind} ${key}`);
  change(object);
  server.operations.storage.write(kind, key, object);
}

describe('an object that cannot be read', () => {
  test.each(['an event', 'a list'])(
    'in %s keeps its last good state, is named, and stops no other',
    async (how) => {
      const server = await startServer();
      for (const name of ['web', 'other']) {
        writeApp(server, name);
        writeSlice(server, name, '10.0.0.1');
      }
      const listener = await follow(await clientOf(server));
      const away = how === 'a list' ? server.restart(50, true) : null;
      garble(server, 'discovery.k8s.io/endpointslices', 'web-1', (slice) => {
        Object.assign(slice, { endpoints: 7 });
      });
      garble(server, 'marathon-ipvs.io/marathonapps', 'web', ({ metadata }) => {
        Object.assign(metadata, { uid: 7, generation: 'x', creationTimestamp: {} });
      });
      writeSlice(server, 'other', '10.0.0.1', '10.0.0.2');
      if (away !== null) server.operations.storage.compact();
      await away;
      await until('the others are followed', () => addressesOf(listener, '/other') === '10.0.0.1,10.0.0.2');
      await until('it is named', () => listener.last.rejected.length === 1);
      expect(listener.last.rejected[0]).toMatchObject({
        app: 'EndpointSlice default/web-1',
        reason: 'not an EndpointSlice: endpoints: expected a list, got a number',
      });
      expect(addressesOf(listener, '/web')).toBe('10.0.0.1');
      expect(listener.last.unknown).toBeUndefined();

      writeSlice(server, 'web', '10.0.0.3');
      await until('it is read again', () => addressesOf(listener, '/web') === '10.0.0.3');
      await until('it is no longer named', () => listener.last.rejected.length === 0);
    },
  );

  test('since the start is an unknown part: nothing is known of what it was', async () => {
    const server = await startServer();
    for (const name of ['web', 'other']) writeApp(server, name);
    writeSlice(server, 'web', '10.0.0.1');
    garble(server, 'discovery.k8s.io/endpointslices', 'web-1', (slice) => {
      Object.assign(slice, { addressType: null });
    });
    const client = await clientOf(server);
    const part = 'EndpointSlice default/web-1';
    const { last } = await follow(client);
    expect(last).toMatchObject({ apps: [{ id: '/other' }, { id: '/web' }], unknown: [{ part }] });
    const source = kubernetesSource(client, { context: '', clock });
    await expect(source.read(never)).resolves.toMatchObject({ unknown: [{ part }] });
  });
});
