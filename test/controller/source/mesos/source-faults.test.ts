import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isEmpty } from '../../../../controller/model/delta.ts';
import { systemClock } from '../../../../controller/time.ts';
import { canMakeCertificates, makeCertificate } from '../../../support/certificate.ts';
import { cut, record } from '../../../support/mesos/record.ts';
import type { TestMesos } from '../../../support/mesos/start-mesos.ts';
import { fastClock, namesOf, TestListener, until } from '../support.ts';
import {
  fill,
  followed,
  mesos,
  never,
  source,
  start,
  startFollowing,
  tasksOf,
  useMesos,
  webTask,
} from './setup.ts';

useMesos();

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mesos-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Of the first of its masters alone. */
const urlOf = ({ urls: [url = ''] }: TestMesos) => url;
const wholes = (listener: TestListener) => listener.reads.filter(({ complete }) => complete).length;
const lastError = (listener: TestListener) => listener.errors.at(-1)?.message ?? '';

test.each([[1], [2], [3, 1, 7], [11], [1000], [65_536]])(
  'a stream that is cut into pieces of %p bytes says the same',
  async (...pieces) => {
    const other = await start({ pieces });
    fill(other);
    other.cluster.addTask(webTask(31002, { name: 'wéb-ü' }));
    const listener = await followed({ where: urlOf(other) });
    other.cluster.updateTask(webTask(31002).id, { state: 'KILLING' });
    await until('the event came', () => tasksOf(listener)[1] === 'killing 10.0.0.1:31002');
    expect(listener.errors).toEqual([]);
  },
);

test('a stream that falls silent is opened again after three heartbeats', async () => {
  const other = await start({ heartbeatSeconds: 10 });
  fill(other);
  other.heartbeats = false;
  const clock = fastClock(100);
  const listener = await followed({ where: urlOf(other), clock, retry: { firstMs: 100, limitMs: 200 } });
  await until('it is opened again', () => wholes(listener) === 2);
  const [first, second] = listener.reads.filter(({ complete }) => complete);
  expect((second?.since ?? 0) - (first?.since ?? 0)).toBeGreaterThanOrEqual(29_000);
  expect(lastError(listener)).toContain('nothing received for 30 s; reconnecting');
});

test('heartbeats alone keep a stream open, and the source fresh', async () => {
  const other = await start({ heartbeatMs: 30 });
  fill(other);
  const listener = await followed({ where: urlOf(other), clock: fastClock(200) });
  await until('it is listed again', () => listener.reads.length >= 3);
  expect(listener.errors).toEqual([]);
  expect(wholes(listener)).toBe(1);
  expect(listener.deltas.slice(1).every(isEmpty)).toBe(true);
});

test.each(['end', 'break'] as const)(
  'after a stream that ends by "%s" the state is read again, and the last good one stays meanwhile',
  async (how) => {
    const listener = await followed();
    mesos.cluster.addTask(webTask(31002));
    mesos.endStreams(how);
    await until('it is read again', () => wholes(listener) === 2);
    expect(lastError(listener)).toMatch(/reconnecting/);
    expect(tasksOf(listener)).toHaveLength(2);
  },
);

test.each<[string, Buffer | string, RegExp]>([
  ['is no length', 'HTTP/1.1 400\n', /expected the length of a record in bytes, got "HTTP/],
  ['never ends', '1'.repeat(30), /expected the length of a record/],
  ['is empty', '\n', /expected the length of a record/],
  ['is above the limit', `${2 ** 31}\n{`, /a record has 2147483648 bytes, and the limit is 268435456/],
  ['is no JSON', '5\n{"a":', /a record of 5 bytes is no JSON/],
])('a record that %s ends the stream, and the state is read again', async (_what, bytes, error) => {
  const listener = await followed();
  mesos.send(bytes);
  await until('it is read again', () => wholes(listener) === 2);
  expect(lastError(listener)).toMatch(error);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
});

test('a state that is cut in the middle changes nothing', async () => {
  const listener = await followed();
  const whole = record({ type: 'SUBSCRIBED', subscribed: { get_state: mesos.cluster.state() } });
  for (const share of [0.1, 0.5, 0.9]) {
    mesos.intercept = (_type, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (const piece of cut(whole.subarray(0, Math.floor(whole.length * share)), [100]))
        response.write(piece);
      setTimeout(() => response.socket?.end(), 5);
      return true;
    };
    const errors = listener.errors.length;
    mesos.endStreams();
    await until('it failed', () => listener.errors.length > errors + 1);
  }
  expect(listener.snapshots).toHaveLength(1);
  mesos.intercept = () => false;
  await until('it goes on', () => wholes(listener) === 2);
});

test.each<[string, unknown, RegExp]>([
  ['an event', { type: 'TASK_ADDED' }, /expected SUBSCRIBED with the state of the cluster first, got "\{/],
  ['a state without lists', { type: 'SUBSCRIBED', subscribed: { get_state: {} } }, /expected SUBSCRIBED/],
  ['an empty object', {}, /expected SUBSCRIBED/],
])('a stream that begins with %s changes nothing', async (_what, first, error) => {
  const listener = await followed();
  mesos.intercept = (_type, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write(record(first));
    return true;
  };
  mesos.endStreams();
  await until('it failed twice', () => listener.errors.length > 2);
  expect(lastError(listener)).toMatch(error);
  expect(listener.snapshots).toHaveLength(1);
});

test('a record above a smaller limit is refused before it is read', async () => {
  const listener = startFollowing({ maxBodyBytes: 100 });
  await until('it fails', () => listener.errors.length > 0);
  expect(lastError(listener)).toMatch(/a record has \d+ bytes, and the limit is 100/);
  expect(listener.snapshots).toEqual([]);
});

test('events and fields that are unknown are passed over', async () => {
  const listener = await followed();
  mesos.send(record({ type: 'OPERATION_UPDATED', operation_updated: { state: 1 } }));
  mesos.send(record({ type: 'constructor' }));
  mesos.send(record({ type: 'AGENT_ADDED', agent_added: 7 }));
  mesos.cluster.addTask(webTask(31002));
  await until('the next event came', () => tasksOf(listener).length === 2);
  expect(listener.errors).toEqual([]);
});

test('a master that does not lead sends to the one that does, which gets the credentials too', async () => {
  const file = join(directory, 'token');
  await writeFile(file, 'secret\n');
  const other = await start({ masters: 2, authorization: 'token=secret' });
  fill(other);
  other.elect(1);
  const credentials = { kind: 'token', path: file } as const;
  const listener = await followed({ where: urlOf(other), credentials });
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
  expect(other.calls.map(({ master, authorization }) => [master, authorization])).toEqual([
    [0, 'token=secret'],
    [1, 'token=secret'],
  ]);

  other.elect(0);
  await until('the new leader is found', () => wholes(listener) === 2);
});

test('a redirect to anything but a call at another master gets no credentials', async () => {
  const elsewhere = await start();
  const file = join(directory, 'user');
  await writeFile(file, 'principal:secret');
  mesos.intercept = (_type, response) => {
    response.writeHead(307, { location: `${elsewhere.urls[0]}/login` }).end();
    return true;
  };
  const listener = startFollowing({ credentials: { kind: 'basic', path: file } });
  await until('it fails', () => listener.errors.length > 0);
  expect(elsewhere.calls[0]?.authorization).toBeUndefined();
  expect(lastError(listener)).toContain('answered 404');
});

test.each([
  [401, 'check the credentials (--mesos-user-file, or --mesos-token-file for DC/OS)'],
  [403, 'grant them view access to frameworks and tasks'],
  [503, 'Mesos has no leader for now'],
  [404, 'is this the address of a Mesos master?'],
])('an answer %d says what to do', async (status, advice) => {
  mesos.intercept = (_type, response) => {
    response.writeHead(status).end('no');
    return true;
  };
  await expect(source().read(never)).rejects.toThrow(advice);
  const listener = startFollowing();
  await until('it fails', () => listener.errors.length > 0);
  expect(lastError(listener)).toContain(advice);
});

test('while no master leads, the last good state stays', async () => {
  const listener = await followed();
  mesos.elect(null);
  await until('it failed more than once', () => listener.errors.length > 2);
  expect(listener.snapshots).toHaveLength(1);
  mesos.elect(0);
  await until('it goes on', () => wholes(listener) === 2);
});

test('a page in place of an answer is no Mesos', async () => {
  mesos.intercept = (_type, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    return true;
  };
  await expect(source().read(never)).rejects.toThrow(/POST GET_STATE .*complete JSON/);
  const listener = startFollowing();
  await until('it fails', () => listener.errors.length > 0);
  expect(lastError(listener)).toContain(
    'not with a stream of events; is this the address of a Mesos master?',
  );
});

test('the name of an agent that cannot be resolved is looked up again', async () => {
  const names: Record<string, string> = {};
  mesos.cluster.addAgent('S3', 'agent.example');
  const labels = { VIP_0: '/web:80', 'network-scope': 'host' };
  mesos.cluster.addTask(
    webTask(31002, { agent: 'S3', addresses: ['172.17.0.2'], ports: [{ number: 31002, labels }] }),
  );
  const listener = await followed({ clock: fastClock(300), resolver: namesOf(names), silenceMs: 1e7 });
  expect(tasksOf(listener)[1]).toContain('agent.example has no known IPv4 address');
  names['agent.example'] = '10.0.0.7';
  await until('it is resolved', () => tasksOf(listener)[1] === 'running 10.0.0.7:31002');
});

(canMakeCertificates ? test : test.skip)(
  'TLS is trusted through the CA file, and refused with a hint without it (skipped without openssl)',
  async () => {
    const { caFile, ...tls } = makeCertificate(directory, 'mesos');
    const other = await start({ masters: 2, tls });
    fill(other);
    other.elect(1);
    const listener = await followed({ where: urlOf(other), caFile });
    expect(listener.errors).toEqual([]);
    await expect(source({ where: urlOf(other) }).read(never)).rejects.toThrow(
      /self-signed certificate.*; give the CA that signed Mesos's certificate \(--mesos-ca-file\)/,
    );
  },
);

test('following ends when it is aborted, in any state', async () => {
  for (const wait of [0, 5, 20, 60]) {
    const end = new AbortController();
    const run = source().follow(new TestListener(), end.signal);
    await systemClock.sleep(wait);
    end.abort();
    await expect(run).resolves.toBeUndefined();
  }
});
