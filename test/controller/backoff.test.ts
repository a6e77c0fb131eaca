import { expect, test } from '@jest/globals';
import { Backoff, delayAfter, withJitter } from '../../controller/backoff.ts';

const options = { firstMs: 100, limitMs: 1_000 };

test.each([
  [0, 0],
  [1, 100],
  [2, 200],
  [4, 800],
  [5, 1_000],
  [5_000, 1_000],
])('after %d failures in a row the next try waits %d ms', (failures, delay) => {
  expect(delayAfter(failures, options)).toBe(delay);
});

test.each([
  [0, undefined, 1_000],
  [0.5, undefined, 1_250],
  [0.5, 1.2, 1_600],
])('a wait of a second is longer by a random part of its share (%d of %d): %d ms', (random, share, ms) => {
  expect(withJitter(1_000, () => random, share)).toBe(ms);
});

test('one item that fails does not hold back another', () => {
  const backoff = new Backoff(options, () => 0);
  backoff.failed('a', 1_000);
  expect(backoff.postpones('a', 1_099)).toBe(true);
  expect(backoff.postpones('a', 1_100)).toBe(false);
  expect(backoff.postpones('b', 1_000)).toBe(false);
  expect(backoff.nextDue(1_000)).toBe(1_100);
});

test('hosts that fail together do not try again together', () => {
  const due = (random: number) => {
    const backoff = new Backoff(options, () => random);
    backoff.failed('a', 0);
    return backoff.nextDue(0);
  };
  expect(due(0.99)).toBeGreaterThan(due(0) ?? Number.NaN);
});

test('success starts the count anew, and what is no longer wanted is forgotten', () => {
  const backoff = new Backoff(options, () => 0);
  backoff.failed('a', 0);
  backoff.failed('a', 0);
  backoff.succeeded('a');
  backoff.failed('a', 0);
  expect(backoff.nextDue(0)).toBe(100);
  backoff.prune(() => false);
  expect(backoff.nextDue(0)).toBeNull();
});

test('what was due in the last pass and was not retried there is no reason for another pass', () => {
  const backoff = new Backoff(options, () => 0);
  backoff.failed('a', 0);
  backoff.failed('b', 1_000);
  expect(backoff.nextDue(100)).toBe(1_100);
  expect(backoff.nextDue(1_100)).toBeNull();
});
