import { expect, test } from '@jest/globals';
import type { Clock } from '../../../../controller/ports.ts';
import type { TestKubernetes } from '../../../support/kubernetes/start-kubernetes.ts';
import { startServer, clock as tenfold, writeApp } from '../../source/kubernetes/setup.ts';
import { fastClock, silent, until } from '../../source/support.ts';
import { passOf } from '../passes.ts';
import { writing } from './writing.ts';

interface Meanwhile {
  readonly clock?: Clock;
  /** Whether an attempt, from 1, is refused; defaults to all. */
  readonly refuses?: (attempt: number) => boolean;
  /** Of each refusal. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called when it was refused twice; `pass` makes a pass with another result. */
  readonly afterSecond?: (server: TestKubernetes, pass: () => void) => void;
}

/** When the status of one object was sent to a server that refuses it with this status, in seconds between the attempts. */
async function pausesOf(
  status: number,
  attempts: number,
  { clock = tenfold, refuses = () => true, headers = {}, afterSecond = () => undefined }: Meanwhile = {},
): Promise<readonly number[]> {
  const server = await startServer();
  writeApp(server, 'web');
  const at: number[] = [];
  server.faults.next(
    ({ path }) => {
      if (!path.endsWith('/status')) return false;
      at.push(clock.monotonic());
      return refuses(at.length);
    },
    { status, headers, body: { kind: 'Status', code: status, message: 'no' } },
    100,
  );
  const { writer, desired } = await writing(server, { clock, random: () => 0 });
  const pass = (error: string | null) =>
    writer.passed(passOf({ desired, over: { startedAt: clock.monotonic(), error } }));
  pass(null);
  await until('it was tried twice', () => at.length >= 2);
  afterSecond(server, () => pass('no kernel'));
  await until('it was tried', () => at.length >= attempts);
  return at.slice(1).map((time, i) => (time - (at[i] ?? 0)) / 1_000);
}

test('an object whose status is refused is tried less and less often', async () => {
  const [first = 0, second = 0] = await pausesOf(500, 3);
  expect(first).toBeGreaterThanOrEqual(10);
  expect(second).toBeGreaterThanOrEqual(20);
});

test('after a conflict it is read and written again at once, then less often', async () => {
  const [first = 0, second = 0] = await pausesOf(409, 3);
  expect(first).toBeLessThan(9);
  expect(second).toBeGreaterThanOrEqual(20);
});

test('it is tried no sooner than the server asks', async () => {
  const [first = 0] = await pausesOf(503, 2, { headers: { 'retry-after': '30' } });
  expect(first).toBeGreaterThanOrEqual(30);
});

test('another result does not bring the next attempt forward, a change of the object does', async () => {
  const [, afterPass = 0] = await pausesOf(500, 3, { afterSecond: (_, pass) => pass() });
  expect(afterPass).toBeGreaterThanOrEqual(20);
  const [, afterChange = 0] = await pausesOf(500, 3, {
    afterSecond: (server) => writeApp(server, 'web', '/other:80'),
  });
  expect(afterChange).toBeLessThan(20);
});

test('it is never tried less often than every five minutes', async () => {
  const clock = fastClock(100);
  const pauses = await pausesOf(500, 9, { clock });
  expect(pauses.at(4)).toBeGreaterThanOrEqual(160);
  for (const pause of pauses.slice(5)) {
    expect(pause).toBeGreaterThanOrEqual(300);
    expect(pause).toBeLessThan(330);
  }
});

test('after a success failures are counted anew', async () => {
  let pass = () => {};
  const [, , , after = 0] = await pausesOf(500, 5, {
    refuses: (attempt) => {
      if (attempt === 3) setTimeout(() => pass(), 20);
      return attempt !== 3;
    },
    afterSecond: (_, another) => {
      pass = another;
    },
  });
  expect(after).toBeGreaterThanOrEqual(10);
  expect(after).toBeLessThan(20);
});

test('a host whose machine slept writes no status before its lease is renewed', async () => {
  const server = await startServer();
  writeApp(server, 'web');
  const written = () => server.requests.filter(({ path }) => path.endsWith('/status')).length;
  let sleptMs = 0;
  const woken = { ...tenfold, epoch: () => tenfold.epoch() + sleptMs };
  const errors: unknown[] = [];
  const log = { ...silent, warn: (_: string, fields: object = {}) => void errors.push(fields) };
  const { writer, desired } = await writing(server, { clock: woken, log });
  const pass = (error: string | null) =>
    writer.passed(passOf({ desired, over: { startedAt: tenfold.monotonic(), error } }));
  pass(null);
  await until('it is written', () => written() === 1);
  // Later than the next write of the object may be.
  await tenfold.sleep(11_000);
  const broken = { status: 500, body: { kind: 'Status', message: 'broken' } };
  server.faults.next(({ path }) => path.includes('/leases'), broken, 1_000);
  sleptMs = 3_600_000;
  pass('no kernel');
  const saysWhy = () => JSON.stringify(errors).includes('the lease was not renewed in time');
  await until('it writes or says why not', () => saysWhy() || written() > 1);
  expect(written()).toBe(1);
});
