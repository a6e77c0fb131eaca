import { expect, test } from '@jest/globals';
import { FakeClock, settled } from './fake-clock.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test.each([
  ['settled', settled],
  ['time that passes', () => new FakeClock().advance(1)],
])(
  '%s leaves no work behind that only waits for its next turn, however many these are',
  async (_what, wait) => {
    let turns = 0;
    const work = async () => {
      for (; turns < 500; turns += 1) await turn();
    };
    void work();
    await wait();
    expect(turns).toBe(500);
  },
);
