import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { within } from '../../../controller/http/deadline.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Ends as its signal says. */
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

test('work that takes too long is aborted with a reason', async () => {
  const clock = new FakeClock();
  const done = expect(within(2_000, clock, new AbortController().signal, untilAborted)).rejects.toThrow(
    'no complete answer in 2 s',
  );
  await clock.advance(2_000);
  await done;
});

test('work is aborted with the reason of the signal, even if that has aborted before', async () => {
  const stop = new AbortController();
  const done = expect(within(2_000, new FakeClock(), stop.signal, untilAborted)).rejects.toThrow('stopped');
  stop.abort(new Error('stopped'));
  await done;
  await expect(within(2_000, new FakeClock(), stop.signal, untilAborted)).rejects.toThrow('stopped');
});

test('work that ends in time leaves no listener on the long-lived signal', async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const limits: AbortSignal[] = [];
  const work = async (limit: AbortSignal) => {
    limits.push(limit);
    return limits.length;
  };
  expect([await within(2_000, clock, signal, work), await within(2_000, clock, signal, work)]).toEqual([
    1, 2,
  ]);
  await clock.advance(10_000);
  expect(limits.map(({ aborted }) => aborted)).toEqual([false, false]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
