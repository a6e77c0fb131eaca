import { expect, test } from '@jest/globals';
import { atOnce, inSlices, inTurns, Pace } from '../../controller/pace.ts';

/** Parts that each take a while; gives how many there were. */
function* parts(count: number, ms: number): Generator<undefined, number> {
  for (let part = 0; part < count; part++) {
    const until = performance.now() + ms;
    while (performance.now() < until);
    yield;
  }
  return count;
}

test('work in turns lets timers run between its parts, and ends with the same', async () => {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  expect(await inTurns(parts(20, 2), new Pace(5))).toBe(20);
  clearInterval(timer);
  expect(ticks).toBeGreaterThanOrEqual(4);
  expect(atOnce(parts(20, 0))).toBe(20);
});

test('work that is short is done without a rest', async () => {
  class Counted extends Pace {
    rests = 0;
    override async rest(): Promise<void> {
      this.rests += 1;
    }
  }
  const pace = new Counted(60_000);
  await inTurns(parts(1_000, 0), pace);
  expect(pace.rests).toBe(0);
});

test('what goes wrong in a part is told', async () => {
  function* failing(): Generator<undefined, void> {
    yield;
    throw new Error('in the second part');
  }
  await expect(inTurns(failing())).rejects.toThrow('in the second part');
});

test('work in slices goes on after each rest until nothing is left, and looks at the clock only now and then', async () => {
  class Resting extends Pace {
    looks = 0;
    rests = 0;
    override isDue(): boolean {
      this.looks += 1;
      return true;
    }
    override async rest(): Promise<void> {
      this.rests += 1;
    }
  }
  const pace = new Resting();
  let left = 1_000;
  await inSlices((pause) => {
    while (left > 0) {
      left -= 1;
      if (pause(2)) return false;
    }
    return true;
  }, pace);
  expect(left).toBe(0);
  expect(pace.rests).toBe(pace.looks);
  expect(pace.looks).toBeGreaterThan(10);
  expect(pace.looks).toBeLessThan(100);
});
