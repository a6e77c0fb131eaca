import { expect, test } from '@jest/globals';
import { Turns } from '../../../controller/loop/turns.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';

function workers(turns: Turns, clock: FakeClock, count: number) {
  const begun: number[] = [];
  const ends = Array.from({ length: count }, () => Promise.withResolvers<void>());
  const all = ends.map(({ promise }, index) =>
    turns.take(clock, async () => {
      begun.push(index);
      await promise;
      return index;
    }),
  );
  return { begun, ends, all };
}

test('so many work at once as may, the others in their order once one has ended, however it ended', async () => {
  const { begun, ends, all } = workers(new Turns(2), new FakeClock(), 4);
  await settled();
  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error('no kernel'));
  await expect(all[1]).rejects.toThrow('no kernel');
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.resolve();
  expect(await all[0]).toBe(0);
  await settled();
  expect(begun).toEqual([0, 1, 2, 3]);
  for (const { resolve } of ends) resolve();
  await Promise.allSettled(all);
});

test('one that hangs keeps the others waiting for five seconds, and once', async () => {
  const clock = new FakeClock();
  const { begun, ends, all } = workers(new Turns(1), clock, 3);
  await clock.advance(4_999);
  expect(begun).toEqual([0]);
  await clock.advance(1);
  expect(begun).toEqual([0, 1]);
  // Its turn was over when it was given on: it gives none once more.
  ends[0]?.resolve();
  await settled();
  expect(begun).toEqual([0, 1]);
  ends[1]?.resolve();
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  ends[2]?.resolve();
  await Promise.all(all);
});
