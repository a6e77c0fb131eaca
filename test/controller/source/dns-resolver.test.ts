import { expect, test } from '@jest/globals';
import { BOUNDS } from '../../../controller/input/bounds.ts';
import type { Clock } from '../../../controller/ports.ts';
import { createDnsResolver } from '../../../controller/source/dns-resolver.ts';
import { silent } from './support.ts';

/** A resolver whose name server, time and questions are in the test's hands. */
function setUp(answer: (hostName: string) => Promise<string>) {
  const state = { now: 1_000, asked: [] as string[], answer };
  const late: (() => void)[] = [];
  const clock: Clock = {
    epoch: () => 0,
    monotonic: () => state.now,
    sleep: () => new Promise((resolve) => late.push(resolve)),
  };
  const lookupIpv4 = (hostName: string) => {
    state.asked.push(hostName);
    return state.answer(hostName);
  };
  return { state, late, resolver: createDnsResolver({ clock, log: silent, lookupIpv4 }) };
}

test('an answer is queried once in its lifetime', async () => {
  const { state, resolver } = setUp(async () => '10.0.0.1');
  expect(await Promise.all([resolver.resolve('a'), resolver.resolve('a')])).toEqual(['10.0.0.1', '10.0.0.1']);
  state.now += 59_999;
  await resolver.resolve('a');
  expect(state.asked).toEqual(['a']);
  state.now += 1;
  await resolver.resolve('a');
  expect(state.asked).toEqual(['a', 'a']);
});

test('while the name server fails the last address stays', async () => {
  const { state, resolver } = setUp(async () => '10.0.0.1');
  await resolver.resolve('a');
  state.now += 60_000;
  state.answer = () => Promise.reject(new Error('SERVFAIL'));
  expect(await resolver.resolve('a')).toBe('10.0.0.1');
  state.now += 5_000;
  state.answer = async () => '10.0.0.2';
  expect(await resolver.resolve('a')).toBe('10.0.0.2');
});

test('a name that was never resolved is null, and is queried again soon', async () => {
  const { state, resolver } = setUp(() => Promise.reject(new Error('ENOTFOUND')));
  expect(await resolver.resolve('a')).toBeNull();
  expect(await resolver.resolve('a')).toBeNull();
  state.now += 5_000;
  await resolver.resolve('a');
  expect(state.asked).toEqual(['a', 'a']);
});

test('look-ups that are not awaited any more do not pile up, and their late answer counts for the next who asks', async () => {
  const pending = Promise.withResolvers<string>();
  const { state, late, resolver } = setUp(() => pending.promise);
  for (let minute = 0; minute < 20; minute += 1) {
    const answer = resolver.resolve('a');
    late.at(-1)?.();
    expect(await answer).toBeNull();
    state.now += 60_000;
  }
  expect(state.asked).toEqual(['a']);
  const answer = resolver.resolve('a');
  pending.resolve('10.0.0.1');
  expect(await answer).toBe('10.0.0.1');
});

test('a name server that does not answer counts as a failure', async () => {
  const { late, resolver } = setUp(() => new Promise(() => undefined));
  const answer = resolver.resolve('a');
  late[0]?.();
  expect(await answer).toBeNull();
});

test('of too many names those are forgotten whose answers are oldest', async () => {
  const { state, resolver } = setUp(async () => '10.0.0.1');
  for (let i = 0; i <= BOUNDS.hostNames; i += 1) await resolver.resolve(`agent-${i}`);
  state.asked.length = 0;
  await resolver.resolve('agent-1');
  expect(state.asked).toEqual([]);
  await resolver.resolve('agent-0');
  expect(state.asked).toEqual(['agent-0']);
});

test('no more than so many names are looked up at once, and a further one is queried again later', async () => {
  const pending = Promise.withResolvers<string>();
  const { state, resolver } = setUp(() => pending.promise);
  const answers = Array.from({ length: BOUNDS.hostNames }, (_, i) => resolver.resolve(`agent-${i}`));
  expect(await resolver.resolve('one-more')).toBeNull();
  expect(state.asked).not.toContain('one-more');
  pending.resolve('10.0.0.1');
  await Promise.all(answers);
  state.now += 5_000;
  expect(await resolver.resolve('one-more')).toBe('10.0.0.1');
});
