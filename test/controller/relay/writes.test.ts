import { expect, test } from '@jest/globals';
import { ApiFailure } from '../../../controller/kubernetes/api-failure.ts';
import { Throttle } from '../../../controller/kubernetes/throttle.ts';
import { createRelayHealth } from '../../../controller/relay/health.ts';
import { makeAll } from '../../../controller/relay/writes.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { never } from '../source/kubernetes/setup.ts';
import { silent } from '../source/support.ts';

const busy = (seconds: number, status = 429) =>
  new ApiFailure('PATCH /x', { status, body: { message: 'busy' }, retryAfter: String(seconds) });

/** A round of `count` writes, of which each fails as `answer` has it; made is when each was sent, in seconds. */
function round(
  count: number,
  answer: (name: string, nth: number) => Error | null | Promise<null>,
  over: object = {},
) {
  const clock = new FakeClock();
  const from = clock.monotonic();
  const made: { readonly name: string; readonly at: number }[] = [];
  const seconds = () => (clock.monotonic() - from) / 1_000;
  const writes = Array.from({ length: count }, (_, i) => ({
    op: 'apply' as const,
    name: `app-${i}`,
    make: async () => {
      const name = `app-${i}`;
      made.push({ name, at: seconds() });
      const error = await answer(name, made.filter((one) => one.name === name).length);
      if (error !== null) throw error;
    },
  }));
  const throttle = new Throttle({ clock, random: () => 0 });
  const observer = { wrote: () => undefined, moved: () => undefined, ...over };
  const result = { failed: null as ReadonlyMap<string, unknown> | null };
  const done = makeAll(writes, { log: silent, observer, throttle }, never).then((failed) => {
    result.failed = failed;
  });
  return { clock, made, done, result, throttle };
}

test.each([429, 503])(
  'after a %i all writes wait as long as the server asks, and it is made again',
  async (status) => {
    const { clock, made, done, result } = round(20, (name, nth) =>
      name === 'app-0' && nth === 1 ? busy(7, status) : null,
    );
    await clock.advance(6_000);
    const early = made.length;
    expect(early).toBeLessThanOrEqual(8);
    await clock.advance(2_000);
    await done;
    expect(made).toHaveLength(21);
    expect(made.slice(early).every(({ at }) => at >= 7)).toBe(true);
    expect(result.failed?.size).toBe(0);
  },
);

test('clients that are asked to wait at the same moment do not come back at the same moment', () => {
  const waits = [0, 0.5, 0.99].map((random) => {
    const throttle = new Throttle({ clock: new FakeClock(), random: () => random });
    throttle.record(busy(8));
    return throttle.remainingMs;
  });
  expect(waits[0]).toBe(8_000);
  expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
  expect(new Set(waits).size).toBe(3);
});

test('one write that the server postpones each time does not stop the others', async () => {
  const { clock, made, done, result } = round(20, (name) => (name === 'app-0' ? busy(2) : null));
  await clock.advance(10_000);
  await done;
  expect([...(result.failed?.keys() ?? [])]).toEqual(['app-0']);
  expect(new Set(made.map(({ name }) => name)).size).toBe(20);
});

test('a server that asks for years, or postpones every write, ends the round: the next one is later', async () => {
  const { clock, made, done, result, throttle } = round(1_000, () => busy(1e9));
  await clock.advance(1_000);
  await done;
  expect(result.failed?.size).toBe(1_000);
  expect(made.length).toBeLessThanOrEqual(8);
  expect(throttle.remainingMs).toBeGreaterThan(50_000);
  expect(throttle.remainingMs).toBeLessThanOrEqual(60_000);
});

test('a round is alive while its writes end, however long it takes in all, but not while they hang', async () => {
  let health: ReturnType<typeof createRelayHealth> | null = null;
  let hangs = false;
  const { clock, made, done } = round(
    400,
    async (): Promise<null> => {
      await clock.sleep(hangs ? 3_600_000 : 20_000);
      return null;
    },
    { moved: () => health?.observer.moved() },
  );
  health = createRelayHealth(['file=test'], clock, 60_000);
  health.observer.moved();
  await clock.advance(600_000);
  expect(made.length).toBeLessThan(300);
  expect(health.live().ok).toBe(true);
  hangs = true;
  await clock.advance(330_000);
  expect(health.live().ok).toBe(false);
  hangs = false;
  await clock.advance(8_000_000);
  await done;
});
