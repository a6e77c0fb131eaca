import { expect, test } from '@jest/globals';
import { settled } from '../../support/fake-clock.ts';
import { type Lease, now, Process, world } from './candidates.ts';

test('an abandoned lease is taken over once its spec was unchanged for its duration', async () => {
  const { clock, server } = world();
  const spec = { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2099-01-01T00:00:00.000000Z' };
  server.put(spec);
  const candidate = new Process('a', now);
  for (let second = 0; second < 14; second += 1) {
    await clock.advance(1_000);
    server.put(spec); // As who labels it does: another resource version, the same lease.
  }
  expect(candidate.leading).toBe(false);
  await clock.advance(4_000);
  expect(candidate.leading).toBe(true);
});

test('a jump of the host clock does not affect leader and candidates', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await settled();
  const candidate = new Process('b', now);
  for (const step of [86_400_000, -172_800_000, 3_600_000]) {
    clock.step(step);
    await clock.advance(30_000);
  }
  expect([leader.leading, leader.turns, candidate.turns]).toEqual([true, 1, 0]);
});

test.each([
  ['hours ahead', 7_200_000],
  ['hours behind', -7_200_000],
])('a candidate whose clock is %s leads and waits as any other', async (_, off) => {
  const { clock, server } = world();
  // Leases of another process say what time it is there.
  const renewed = () => new Date(clock.epoch() + off).toISOString().replace('Z', '000Z');
  const process = new Process('a', now);
  server.put({ holderIdentity: 'z', leaseDurationSeconds: 15, renewTime: renewed() });
  for (let renewal = 0; renewal < 10; renewal += 1) {
    await clock.advance(5_000);
    server.put({ holderIdentity: 'z', leaseDurationSeconds: 15, renewTime: renewed() });
    expect(process.turns).toBe(0);
  }
  // It stops without handing the lease back.
  await clock.advance(20_000);
  expect(process.leading).toBe(true);
});

test.each<[string, unknown]>([
  ['no spec', undefined],
  ['a spec of another type', 'x'],
  ['an empty holder', { holderIdentity: '', leaseDurationSeconds: 15 }],
  ['a holder of another type', { holderIdentity: 7 }],
  ['a negative duration', { holderIdentity: 'z', leaseDurationSeconds: -5 }],
  ['a duration of years', { holderIdentity: 'z', leaseDurationSeconds: 2_147_483_647 }],
  ['a duration that is text', { holderIdentity: 'z', leaseDurationSeconds: 'x' }],
  ['a renewal far in the future', { holderIdentity: 'z', renewTime: '9999-12-31T23:59:59.000000Z' }],
  ['an acquisition of its own that is no time', { holderIdentity: 'a', acquireTime: 'x' }],
  ['the most transitions', { holderIdentity: 'z', leaseTransitions: 2_147_483_647, acquireTime: 'x' }],
])(
  'a lease with %s is taken over once it does not change, with fields that a server accepts',
  async (_, spec) => {
    const { clock, server } = world();
    server.lease = { metadata: { resourceVersion: '0' }, ...(spec !== undefined && { spec }) } as Lease;
    const process = new Process('a', now);
    await clock.advance(70_000);
    expect(process.leading).toBe(true);
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15 });
    const { leaseTransitions, acquireTime } = server.lease.spec as unknown as {
      leaseTransitions: number;
      acquireTime: string;
    };
    expect(leaseTransitions).toBeLessThanOrEqual(2_147_483_647);
    expect(Date.parse(acquireTime)).toBeGreaterThan(0);
  },
);

test.each([
  { holderIdentity: 7 },
  { leaseDurationSeconds: 'x' },
  { acquireTime: 7 },
  { leaseTransitions: -1 },
])('a holder that renews a lease with %j keeps it', async (garbled) => {
  const { clock, server } = world();
  const process = new Process('a', now);
  for (let renewal = 0; renewal < 10; renewal += 1) {
    server.put({ holderIdentity: 'z', leaseDurationSeconds: 15, renewTime: String(renewal), ...garbled });
    await clock.advance(5_000);
    expect(process.turns).toBe(0);
  }
});

test.each([-5, 0, 1, 0.5])(
  'a holder that renews with a duration of %d s keeps the lease',
  async (seconds) => {
    const { clock, server } = world();
    server.put({ holderIdentity: 'z', leaseDurationSeconds: seconds, renewTime: '0' });
    const process = new Process('a', now);
    for (let renewal = 1; renewal < 10; renewal += 1) {
      await clock.advance(5_000);
      expect(process.turns).toBe(0);
      server.put({ holderIdentity: 'z', leaseDurationSeconds: seconds, renewTime: String(renewal) });
    }
  },
);
