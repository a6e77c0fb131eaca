import { expect, test } from '@jest/globals';
import { ApiFailure } from '../../../controller/kubernetes/api-failure.ts';
import { metadataSchema, type Versioned } from '../../../controller/kubernetes/listing.ts';
import { Reflector } from '../../../controller/kubernetes/reflector.ts';
import { collectionPath, MARATHON_APPS } from '../../../controller/kubernetes/resources.ts';
import {
  clientOf,
  clock,
  inBackground,
  removeApp,
  startServer,
  writeApp,
} from '../source/kubernetes/setup.ts';
import { until } from '../source/support.ts';

/** Fails in these ways in order, then works. Resolves with the delays between the attempts. */
async function pausesOf(failures: readonly Error[]): Promise<readonly number[]> {
  const stop = new AbortController();
  const pauses: number[] = [];
  const left = [...failures];
  const reflector = new Reflector<Versioned>({
    client: {
      server: 'https://server',
      namespace: 'default',
      call: async () => ({ metadata: { resourceVersion: '1' }, items: [] }),
      watch: async () => {
        const failure = left.shift();
        if (failure !== undefined) throw failure;
        stop.abort();
        return (async function* () {})();
      },
    },
    clock: {
      ...clock,
      sleep: async (ms) => {
        pauses.push(ms);
      },
    },
    path: '/things',
    project: (json) => metadataSchema.parse(json).metadata,
    listener: {
      changed: () => undefined,
      behind: () => undefined,
      inStep: () => undefined,
      unread: () => undefined,
      failed: () => undefined,
    },
    random: () => 0.999,
    silenceMs: 5_000,
  });
  await reflector.run(stop.signal);
  return pauses.slice(0, failures.length);
}

const REFUSED = new Error('connect ECONNREFUSED');
const EXPIRED = new ApiFailure('watch', { status: 410, body: { reason: 'Expired' } });

test('a server that is back without our version is listed soon, however long it was down', async () => {
  const pauses = await pausesOf([...Array.from({ length: 8 }, () => REFUSED), EXPIRED]);
  // While no server answers, it is tried at least every ten seconds.
  expect(Math.max(...pauses)).toBeGreaterThan(9_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
  expect(pauses.at(-1)).toBeLessThanOrEqual(2_000);
});

test('a server that drops every version at once is listed less and less often', async () => {
  const pauses = await pausesOf(Array.from({ length: 9 }, () => EXPIRED));
  expect(pauses.slice(1)).toEqual(pauses.slice(1).toSorted((a, b) => a - b));
  expect(pauses.at(-1)).toBeGreaterThan(25_000);
});

test('each version of an object is reported once, even across another list', async () => {
  const server = await startServer();
  for (const name of ['a', 'b']) writeApp(server, name);
  const told: string[] = [];
  let inStep = 0;
  const reflector = new Reflector<Versioned>({
    client: await clientOf(server),
    clock,
    path: collectionPath(MARATHON_APPS, null),
    project: (json) => metadataSchema.parse(json).metadata,
    listener: {
      changed: (before, now) =>
        told.push(`${before === null ? '+' : now === null ? '-' : '~'}${(now ?? before)?.name}`),
      unread: () => undefined,
      behind: () => told.push('list'),
      inStep: () => {
        inStep += 1;
      },
      failed: () => undefined,
    },
    random: Math.random,
    silenceMs: 5_000,
  });
  inBackground((signal) => reflector.run(signal));
  await until('it is in step', () => inStep === 1);
  expect(told.splice(0)).toEqual(['list', '+a', '+b']);

  writeApp(server, 'a', '/a:81');
  removeApp(server, 'b');
  writeApp(server, 'c');
  await until('the watch has told', () => told.length === 3);
  expect(told.splice(0)).toEqual(['~a', '-b', '+c']);

  const away = server.restart(50, true);
  removeApp(server, 'c');
  server.operations.storage.compact();
  await away;
  await until('it is in step again', () => inStep >= 2 && told.length > 0);
  expect(told).toEqual(['list', '-c']);
  expect([...reflector.objects.keys()]).toEqual(['default/a']);
});
