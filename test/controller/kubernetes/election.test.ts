import { expect, test } from '@jest/globals';
import { ApiFailure } from '../../../controller/kubernetes/api-failure.ts';
import { settled } from '../../support/fake-clock.ts';
import { leadsFor, now, Process, world } from './candidates.ts';

test('the first candidate leads for as long as it renews, and later ones wait', async () => {
  const { clock, server } = world();
  const first = new Process('a', now);
  await settled();
  const second = new Process('b', now);
  await clock.advance(600_000);
  expect([first.leading, first.turns, second.turns]).toEqual([true, 1, 0]);
  expect(server.lease?.spec.holderIdentity).toBe('a');
});

test.each(['refuses', 'hangs', 'races'] as const)(
  'a leader whose API server %s stops ten seconds after its last renewal',
  async (reach) => {
    const { clock } = world();
    const leader = new Process('a', now);
    await clock.advance(60_000); // A renewal was sent just now.
    leader.reach = reach;
    expect(await leadsFor(leader, clock)).toBe(10);
    leader.reach = 'answers';
    await clock.advance(20_000);
    expect([leader.leading, leader.turns]).toEqual([true, 2]);
  },
);

test('neither a hanging attempt nor a late answer prolongs leadership', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await clock.advance(60_000);
  leader.reach = 'refuses';
  await clock.advance(7_000);
  leader.reach = 'hangs';
  expect(await leadsFor(leader, clock)).toBe(3);
});

test('there are never two leaders, whichever process the API server does not answer', async () => {
  const { clock } = world();
  const all = ['a', 'b', 'c'].map((identity) => new Process(identity, now));
  const reaches = ['answers', 'hangs', 'refuses', 'answers', 'races'] as const;
  let most = 0;
  for (let second = 0; second < 600; second += 1) {
    if (second % 13 === 0)
      all.forEach((one, index) => {
        one.reach = reaches[(second / 13 + index * 2) % reaches.length] ?? 'answers';
      });
    await clock.advance(1_000);
    most = Math.max(most, all.filter(({ leading }) => leading).length);
  }
  expect(most).toBe(1);
  expect(all.reduce((sum, { turns }) => sum + turns, 0)).toBeGreaterThan(5);
});

test('a short failure has no effect', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await clock.advance(60_000);
  for (const reach of ['refuses', 'races', 'hangs'] as const) {
    leader.reach = reach;
    await clock.advance(5_000);
    leader.reach = 'answers';
    await clock.advance(10_000);
  }
  // A hanging attempt is not repeated concurrently, so a single one may lose the lease.
  expect(leader.turns).toBeLessThanOrEqual(2);
  expect(leader.leading).toBe(true);
});

test('a leader stops at once when another process holds the lease', async () => {
  const { clock, server } = world();
  const leader = new Process('a', now);
  await clock.advance(60_000);
  server.put({ holderIdentity: 'z', leaseDurationSeconds: 15, renewTime: 'now' });
  await clock.advance(2_000);
  expect(leader.leading).toBe(false);
  expect(server.lease?.spec.holderIdentity).toBe('z');
});

test('a candidate and a leader leave a busy API server alone as long as it asks, but not for ever', async () => {
  const { clock } = world();
  const process = new Process('a', now);
  const asked: number[] = [];
  process.busy = () => {
    asked.push(clock.monotonic());
    return new ApiFailure('lease', { status: 429, body: {}, retryAfter: '8' });
  };
  await clock.advance(60_000);
  const pauses = asked.slice(1).map((at, i) => at - (asked[i] ?? 0));
  expect(pauses.length).toBeGreaterThan(3);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(8_000);
  process.busy = null;
  await clock.advance(10_000);
  expect(process.leading).toBe(true);

  process.busy = () => new ApiFailure('lease', { status: 503, body: {}, retryAfter: '1000000000' });
  expect(await leadsFor(process, clock)).toBe(10);
  process.busy = null;
  await clock.advance(150_000);
  expect(process.leading).toBe(true);
});

test('a leader that the API server asks to wait renews no sooner, and leads on', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await clock.advance(60_000);
  const asked: number[] = [];
  leader.busy = () => {
    asked.push(clock.monotonic());
    return new ApiFailure('lease', { status: 429, body: {}, retryAfter: '5' });
  };
  await clock.advance(6_000);
  leader.busy = null;
  await clock.advance(30_000);
  expect(asked).toHaveLength(1);
  expect([leader.leading, leader.turns]).toEqual([true, 1]);
});

test('a storm of conflicts costs a leader its term, not its process, and it leads again afterwards', async () => {
  const { clock } = world();
  const all = ['a', 'b', 'c', 'd'].map((identity) => new Process(identity, now));
  await clock.advance(60_000);
  for (const one of all) one.reach = 'races';
  await clock.advance(120_000);
  expect(all.filter(({ leading }) => leading)).toEqual([]);
  expect(all.flatMap(({ logged }) => logged).filter((line) => line === 'no longer elected')).toHaveLength(1);
  for (const one of all) one.reach = 'answers';
  await clock.advance(20_000);
  expect(all.filter(({ leading }) => leading)).toHaveLength(1);
});
