import { expect, test } from '@jest/globals';
import { settled } from '../../support/fake-clock.ts';
import { now, Process, world } from './candidates.ts';

test.each<[string, () => Promise<void>]>([
  ['rejects', () => Promise.reject(new Error('the reflector broke'))],
  [
    'throws',
    () => {
      throw new Error('the reflector broke');
    },
  ],
  ['ends', () => Promise.resolve()],
])('a leader that %s ends its term but not the process, and releases the lease', async (_, fails) => {
  const { clock, server } = world();
  const leader = new Process('a', now);
  leader.fails = fails;
  await settled();
  expect([leader.leading, leader.turns]).toEqual([false, 1]);
  expect(server.lease?.spec.holderIdentity).toBe('');
  await clock.advance(2_000);
  expect([leader.leading, leader.turns]).toEqual([true, 2]);
});

test('a leader that rejects during a renewal ends only its term', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  let reject: (error: Error) => void = () => undefined;
  leader.fails = () => new Promise((_resolve, no) => (reject = no));
  await settled();
  leader.reach = 'hangs';
  await clock.advance(3_000);
  reject(new Error('the reflector broke'));
  await settled();
  expect(leader.logged).toContain('work as leader failed');
  leader.reach = 'answers';
  await clock.advance(30_000);
  expect([leader.leading, leader.turns]).toEqual([true, 2]);
});

test('a stopped leader releases the lease, and the next one leads within two seconds', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await settled();
  const next = new Process('b', now);
  await clock.advance(60_000);
  leader.stop.abort();
  await leader.done;
  expect(leader.leading).toBe(false);
  await clock.advance(2_000);
  expect(next.leading).toBe(true);
});
