import { expect, test } from '@jest/globals';
import { ControllerError } from '../../../controller/errors.ts';
import { OverBound } from '../../../controller/input/bounds.ts';
import { isRecord } from '../../../controller/input/rejection.ts';
import { ApiFailure } from '../../../controller/kubernetes/api-failure.ts';
import type { KubernetesClient, WatchEvent } from '../../../controller/kubernetes/client.ts';
import { isOlder, listAll, metadataSchema, type Versioned } from '../../../controller/kubernetes/listing.ts';
import { Reflector } from '../../../controller/kubernetes/reflector.ts';
import { clock, never } from '../source/kubernetes/setup.ts';

const object = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: 'default', resourceVersion },
});
const event = (type: string, name: string, version: string) => ({ type, object: object(name, version) });
const bookmark = (version: string) => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: version } },
});

type Watch = readonly (WatchEvent | Error)[] | Error;

/**
 * Follows a server whose lists and watches are these, in order. Resolves after the last watch with what happened, with the
 * names of the objects and with the delays between the attempts.
 */
async function followed(lists: readonly (readonly object[])[], watches: readonly Watch[]) {
  const stop = new AbortController();
  const happened: string[] = [];
  const pauses: number[] = [];
  const [listsLeft, watchesLeft] = [[...lists], [...watches]];
  const client: KubernetesClient = {
    server: 'https://server',
    namespace: 'default',
    call: async () => {
      happened.push('list');
      return { metadata: { resourceVersion: '100' }, items: listsLeft.shift() ?? [] };
    },
    watch: async (_path, query) => {
      happened.push(`watch ${query['resourceVersion']}`);
      const next = watchesLeft.shift();
      if (watchesLeft.length === 0) stop.abort();
      if (next instanceof Error) throw next;
      return (async function* () {
        for (const one of next ?? []) {
          if (one instanceof Error) throw one;
          yield one;
        }
      })();
    },
  };
  const reflector = new Reflector<Versioned>({
    client,
    clock: { ...clock, sleep: async (ms) => void pauses.push(ms) },
    path: '/things',
    project: (json) => {
      if (isRecord(json) && 'broken' in json) throw new Error('broken');
      return metadataSchema.parse(json).metadata;
    },
    listener: {
      changed: (before, now, origin) =>
        happened.push(
          `${before === null ? '+' : now === null ? '-' : '~'}${(now ?? before)?.name} by ${origin}`,
        ),
      behind: () => undefined,
      inStep: () => undefined,
      unread: (objects) =>
        happened.push(`unread ${objects.map(({ key, isUnknown }) => `${key}${isUnknown ? '?' : ''}`)}`),
      failed: () => undefined,
    },
    random: () => 0.999,
    silenceMs: 5_000,
  });
  await reflector.run(stop.signal);
  return { happened, names: [...reflector.objects.values()].map(({ name }) => name), pauses };
}

const AHEAD = new ApiFailure('watch', {
  status: 504,
  body: { reason: 'Timeout', message: 'Too large resource version: 100, current: 50' },
});

test('a server that never gets our version, as after a restored backup, is listed again', async () => {
  const { happened } = await followed([[], []], [AHEAD, AHEAD, AHEAD, []]);
  expect(happened).toEqual(['list', 'watch 100', 'watch 100', 'watch 100', 'list', 'watch 100']);
});

test('a repeated older event of an object changes nothing', async () => {
  const { happened, names } = await followed(
    [[object('a', '90')]],
    [[event('MODIFIED', 'a', '110'), event('MODIFIED', 'a', '105'), event('DELETED', 'a', '95')], []],
  );
  expect(happened).toEqual(['list', '+a by list', 'watch 100', '~a by event', 'watch 110']);
  expect(names).toEqual(['a']);
});

test('a repeated event of an object that is gone does not bring it back', async () => {
  const { happened, names } = await followed(
    [[object('a', '90')], []],
    [[event('DELETED', 'a', '110'), event('MODIFIED', 'a', '105')], []],
  );
  expect(happened).toEqual(['list', '+a by list', 'watch 100', '-a by event', 'list', 'watch 100']);
  expect(names).toEqual([]);
});

test('a bookmark older than what was seen means that the server went back in time: it is listed', async () => {
  const { happened } = await followed([[], []], [[event('ADDED', 'a', '110'), bookmark('60')], []]);
  expect(happened).toEqual(['list', 'watch 100', '+a by event', 'list', '-a by list', 'watch 100']);
});

test('versions that are not numbers are only compared for equality', async () => {
  const { happened, names } = await followed([[]], [[event('ADDED', 'a', 'x9'), bookmark('x1')], []]);
  expect(happened).toEqual(['list', 'watch 100', '+a by event', 'watch x1']);
  expect(names).toEqual(['a']);
  expect([isOlder('9', '10'), isOlder('10', '9'), isOlder('7', '7'), isOlder('x', '9')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test('an event without metadata leads to a list, since the watch would begin with it again', async () => {
  const { happened, names } = await followed(
    [[], [object('b', '120')]],
    [[event('ADDED', 'a', '110'), { type: 'MODIFIED', object: { metadata: null } }], []],
  );
  expect(happened).toEqual([
    ...['list', 'watch 100', '+a by event', 'list', '+b by list', '-a by list', 'watch 100'],
  ]);
  expect(names).toEqual(['b']);
});

test('a proxy that ends each watch at once is asked less and less often', async () => {
  const { pauses } = await followed(
    [[]],
    Array.from({ length: 8 }, () => []),
  );
  expect(pauses.slice(0, 7)).toEqual(pauses.slice(0, 7).toSorted((a, b) => a - b));
  expect(pauses.at(6)).toBeGreaterThan(9_000);
});

test('a cache that gives the same page for ever is an error, not an endless list', async () => {
  const client = {
    server: 'https://server',
    call: async () => ({ metadata: { resourceVersion: '1', continue: 'more' }, items: [] }),
  } as unknown as KubernetesClient;
  const listing = { path: '/things', project: () => null };
  await expect(listAll(client, listing, never)).rejects.toThrow(/same page again/);
});

test('a page of too many values is read in smaller ones, and is an error if none is small enough', async () => {
  const over = new ControllerError('source', 'GET /things: too many', { cause: new OverBound('too many') });
  const limits: unknown[] = [];
  const client = (largest: number) =>
    ({
      server: 'https://server',
      call: async (_method, _path, { query }) => {
        limits.push(query?.['limit']);
        if (Number(query?.['limit']) > largest) throw over;
        return { metadata: { resourceVersion: '1' }, items: [object('a', '1')] };
      },
    }) as Pick<KubernetesClient, 'server' | 'call'> as KubernetesClient;
  const listing = { path: '/things', project: () => null };
  expect(await listAll(client(25), listing, never)).toMatchObject({ items: [null] });
  expect(limits).toEqual([500, 25]);
  await expect(listAll(client(2), listing, never)).rejects.toBe(over);
  expect(limits).toEqual([500, 25, 500, 25, 3]);
});

test('an object of a list that cannot be read stays as it was, and the others are read', async () => {
  const broken = { metadata: { name: 'a', namespace: 'default', resourceVersion: 7 } };
  const { happened, names } = await followed(
    [
      [object('a', '90'), object('b', '91')],
      [broken, object('c', '92')],
    ],
    [EXPIRED, []],
  );
  expect(happened.slice(3)).toEqual([
    ...['watch 100', 'list', '+c by list', '-b by list', 'unread default/a', 'watch 100'],
  ]);
  expect(names).toEqual(['a', 'c']);
});

test('an object of an event that cannot be read is told, stays as it was, and the watch goes on', async () => {
  const broken = (type: string, name: string, version: string) => ({
    type,
    object: { ...object(name, version), broken: true },
  });
  const { happened, names } = await followed(
    [[object('a', '90')]],
    [
      [
        broken('ADDED', 'new', '101'),
        broken('MODIFIED', 'a', '102'),
        event('ADDED', 'b', '103'),
        event('MODIFIED', 'new', '104'),
        broken('DELETED', 'a', '105'),
        broken('MODIFIED', 'b', '106'),
      ],
      [],
    ],
  );
  expect(happened).toEqual([
    ...['list', '+a by list', 'watch 100', 'unread default/new', 'unread default/new,default/a'],
    ...['+b by event', 'unread default/a', '+new by event', 'unread ', '-a by event', 'unread default/b'],
    'watch 106',
  ]);
  expect(names).toEqual(['b', 'new']);
});

test('while one without a name is listed, everything stays: it may be any of them', async () => {
  const nameless = { metadata: { resourceVersion: '7' } };
  const { names, happened } = await followed([[object('a', '90')], [nameless], []], [EXPIRED, [], []]);
  expect(happened.filter((what) => /unread|^-/.test(what))).toEqual(['unread null', '-a by list', 'unread ']);
  expect(names).toEqual([]);
});

const EXPIRED = new ApiFailure('watch', { status: 410, body: { reason: 'Expired' } });
