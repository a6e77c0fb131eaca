import { describe, expect, test } from '@jest/globals';
import { TablePace } from '../../../controller/eject/pace.ts';

const OPTIONS = { shortestMs: 200, share: 0.02, lentMs: 0 };
const read = (cost: number) => ({ cost, bytes: 1 << 20 });

describe('reads of the table', () => {
  test('follow each other as fast as may be where they cost little', () => {
    const pace = new TablePace();
    expect(pace.next(1_000, read(2), OPTIONS)).toBe(1_200);
    expect(pace.interval).toBe(200);
  });

  test('wait until what they cost is paid for', () => {
    const pace = new TablePace();
    expect(pace.next(1_000, read(10), OPTIONS)).toBe(1_500);
    expect(pace.next(1_500, read(40), OPTIONS)).toBe(3_500);
    expect(pace.interval).toBe(2_000);
  });

  test('do not wait where the last one left something open, until too much is owed', () => {
    const pace = new TablePace();
    const urgent = { ...OPTIONS, lentMs: 2_000 };
    let at = 1_000;
    for (let reads = 0; reads < 100; reads += 1) at = pace.next(at, read(10), urgent);
    // A hundred reads of 10 ms at a fiftieth of a processor take 50 s, of which 2 s may be owed.
    expect(at - 1_000).toBeGreaterThanOrEqual(47_500);
    expect(at - 1_000).toBeLessThanOrEqual(50_000);
  });

  test('of a small table wait for nothing that a busy machine does meanwhile', () => {
    const pace = new TablePace();
    expect(pace.next(1_000, { cost: 500, bytes: 1_024 }, OPTIONS)).toBe(1_200);
  });
});
