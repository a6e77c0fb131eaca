import { describe, expect, test } from '@jest/globals';
import { CounterCosts, ReadPace, tableCost } from '../../../controller/eject/pace.ts';

const OPTIONS = { shortestMs: 200, share: 0.02, lentMs: 0 };
const read = (cost: number, bytes = 1 << 20) => tableCost({ cost, bytes });

describe('reads of the table', () => {
  test('follow each other as fast as may be where they cost little', () => {
    const pace = new ReadPace();
    expect(pace.next(1_000, read(2), OPTIONS)).toBe(1_200);
    expect(pace.interval).toBe(200);
  });

  test('wait until what they cost is paid for', () => {
    const pace = new ReadPace();
    expect(pace.next(1_000, read(10), OPTIONS)).toBe(1_500);
    expect(pace.next(1_500, read(40), OPTIONS)).toBe(3_500);
    expect(pace.interval).toBe(2_000);
  });

  test('do not wait where the last one left something open, until too much is owed', () => {
    const pace = new ReadPace();
    const urgent = { ...OPTIONS, lentMs: 2_000 };
    let at = 1_000;
    for (let reads = 0; reads < 100; reads += 1) at = pace.next(at, read(10), urgent);
    // A hundred reads of 10 ms at a fiftieth of a processor take 50 s, of which 2 s may be owed.
    expect(at - 1_000).toBeGreaterThanOrEqual(47_500);
    expect(at - 1_000).toBeLessThanOrEqual(50_000);
  });

  test('of a small table wait for nothing that a busy machine does meanwhile', () => {
    const pace = new ReadPace();
    expect(pace.next(1_000, read(500, 1_024), OPTIONS)).toBe(1_200);
  });
});

test('a read of the table on an ordinary machine counts for all that it costs', () => {
  expect(tableCost({ cost: 60, bytes: 1 << 18 })).toBe(60);
});

describe('reads of the counters', () => {
  /** What each of some reads of 10,000 entries counts for. */
  function counted(...costs: readonly number[]): readonly number[] {
    const all = new CounterCosts();
    return costs.map((cost) => all.count(cost, 10_000));
  }

  test('count from the second one on', () => {
    expect(counted(400, 220, 220, 220)).toEqual([0, 220, 220, 220]);
  });

  test('count for more where they cost more than usual, but not for all that this thread does meanwhile', () => {
    expect(counted(0, 100, 100, 150, 900, 100)).toEqual([0, 100, 100, 150, 200, 100]);
  });

  test('count for the usual where one happens to cost less', () => {
    expect(counted(0, 100, 100, 1)).toEqual([0, 100, 100, 100]);
  });

  test('follow each other so that they take no more than their share', () => {
    const [costs, pace] = [new CounterCosts(), new ReadPace()];
    let [at, used] = [0, 0];
    for (let reads = 0; reads < 20; reads += 1) {
      const cost = reads % 3 === 0 ? 180 : 220;
      if (reads > 0) used += cost;
      at = pace.next(at, costs.count(cost, 11_000), { shortestMs: 500, share: 0.005 });
    }
    expect(used / at).toBeLessThanOrEqual(0.005);
    expect(used / at).toBeGreaterThan(0.0045);
  });
});
