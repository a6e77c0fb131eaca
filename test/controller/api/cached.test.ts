import { describe, expect, test } from '@jest/globals';
import { cached } from '../../../controller/api/cached.ts';

function counting(takenMs: number) {
  const clock = { at: 1_000_000, monotonic: () => clock.at };
  let made = 0;
  const ask = cached(
    async () => {
      made += 1;
      clock.at += takenMs;
      if (made === 3) throw new Error('third time unlucky');
      return made;
    },
    1_000,
    clock,
  );
  return { clock, ask, made: () => made };
}

describe('a cached value', () => {
  test('is made at most once a second', async () => {
    const { clock, ask, made } = counting(0);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
    clock.at += 999;
    expect(await ask()).toBe(1);
    clock.at += 1;
    expect(await ask()).toBe(2);
    expect(made()).toBe(2);
  });

  test('is made during at most a tenth of the time, however slow that is', async () => {
    const { clock, ask } = counting(600);
    expect(await ask()).toBe(1);
    clock.at += 5_999;
    expect(await ask()).toBe(1);
    clock.at += 1;
    expect(await ask()).toBe(2);
  });

  test('is made again immediately after a failure', async () => {
    const { clock, ask } = counting(0);
    await ask();
    clock.at += 1_000;
    await ask();
    clock.at += 1_000;
    await expect(ask()).rejects.toThrow('third time unlucky');
    expect(await ask()).toBe(4);
  });
});
