import { beforeEach, expect, test } from '@jest/globals';
import { ReachabilityView } from '../../../controller/loop/reachability-view.ts';
import type { Reachability } from '../../../controller/ports.ts';

/** Looks in the order in which they ended; one that `hold` was called for ends when that is let go. */
let journal: string[];
let refused: string | null;
let held: Promise<void> | null;
/** How many went on at once, at most. */
let atOnce: number;
let reachability: ReachabilityView;

beforeEach(() => {
  journal = [];
  refused = null;
  held = null;
  atOnce = 0;
  let going = 0;
  const goOn = async () => {
    going += 1;
    atOnce = Math.max(atOnce, going);
    await held;
    going -= 1;
  };
  const host: Reachability = {
    async ensure(addresses) {
      await goOn();
      if (refused !== null) throw new Error(refused);
      journal.push(`ensure ${addresses.join(' ')}`.trimEnd());
      return { changed: [`look ${journal.length}`], problems: [], advice: ['advice'] };
    },
    async repair() {
      await goOn();
      journal.push('repair');
      return ['route put back'];
    },
    exists: async () => [],
    remove: async () => [],
    close: () => undefined,
  };
  reachability = new ReachabilityView(host);
});

function hold(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  return () => {
    held = null;
    resolve();
  };
}

test('between full passes only new addresses cause a check; warnings stay, and repairs are reported once', async () => {
  expect(await reachability.ensure(['10.7.7.7'], true)).toMatchObject({
    changed: ['look 1'],
    advice: ['advice'],
  });
  expect(await reachability.ensure(['10.7.7.7'], false)).toMatchObject({ changed: [], advice: ['advice'] });
  await reachability.ensure(['10.7.7.8'], false);
  await reachability.ensure(['10.7.7.8'], true);
  expect(journal).toEqual(['ensure 10.7.7.7', 'ensure 10.7.7.8', 'ensure 10.7.7.8']);
});

test('a full pass uses the result of a background check, once', async () => {
  await reachability.refreshInBackground();
  expect(journal).toEqual([]); // No pass has said yet what is wanted.
  await reachability.ensure(['10.7.7.7'], true);
  await reachability.refreshInBackground();
  expect(await reachability.ensure(['10.7.7.7'], true)).toMatchObject({ changed: ['look 2'] });
  expect(journal).toHaveLength(2);
  expect(await reachability.ensure(['10.7.7.7'], true)).toMatchObject({ changed: ['look 3'] });
});

test('a smaller pass that comes first tells it, and the full one still counts on it', async () => {
  await reachability.ensure([], true);
  await reachability.refreshInBackground();
  expect(await reachability.ensure([], false)).toMatchObject({ changed: ['look 2'] });
  expect(await reachability.ensure([], false)).toMatchObject({ changed: [] });
  expect(await reachability.ensure([], true)).toMatchObject({ changed: [], advice: ['advice'] });
  expect(journal).toHaveLength(2);
});

test('a pass with the same addresses does not wait for a running check', async () => {
  await reachability.ensure([], true);
  const letGo = hold();
  const looking = [reachability.refreshInBackground(), reachability.repair()];
  expect(await reachability.ensure([], false)).toMatchObject({ advice: ['advice'] });
  expect(journal).toEqual(['ensure']);
  letGo();
  await Promise.all(looking);
  expect(journal).toEqual(['ensure', 'ensure', 'repair']);
});

test('one with others does, and has the last word: also where they become what they were', async () => {
  await reachability.ensure(['10.7.7.7'], true);
  const letGo = hold();
  const looking = reachability.refreshInBackground();
  const changing = reachability.ensure(['10.7.7.8'], false);
  const repairing = reachability.repair();
  letGo();
  await Promise.all([looking, changing, repairing]);
  expect(atOnce).toBe(1);
  await reachability.ensure(['10.7.7.7'], false);
  expect(journal.filter((line) => line !== 'repair')).toEqual(
    ['10.7.7.7', '10.7.7.7', '10.7.7.8', '10.7.7.7'].map((address) => `ensure ${address}`),
  );
});

test('a background check that fails is repeated by the next full pass, which reports the failure', async () => {
  await reachability.ensure([], true);
  refused = 'no reply';
  await reachability.refreshInBackground();
  expect(await reachability.ensure([], false)).toMatchObject({ advice: ['advice'] });
  await expect(reachability.ensure([], true)).rejects.toThrow('no reply');
  refused = null;
  expect(await reachability.repair()).toEqual(['route put back']);
  expect(await reachability.ensure([], true)).toMatchObject({ changed: ['look 3'] });
});

test('after a failed change the next pass checks again, whatever was found before', async () => {
  await reachability.ensure(['10.7.7.7'], true);
  await reachability.refreshInBackground();
  refused = 'no reply';
  await expect(reachability.ensure(['10.7.7.7', '10.7.7.8'], false)).rejects.toThrow('no reply');
  refused = null;
  expect(await reachability.ensure(['10.7.7.7'], false)).toMatchObject({ changed: ['look 3'] });
  expect(journal).toHaveLength(3);
});

test('a look in the background that fails takes away what an earlier one found for the full pass', async () => {
  await reachability.ensure([], true);
  await reachability.refreshInBackground();
  refused = 'no reply';
  await reachability.refreshInBackground();
  refused = null;
  await reachability.ensure([], true);
  expect(journal).toHaveLength(3);
});

test('if nothing may be written, nothing is checked', async () => {
  const none = new ReachabilityView(null);
  expect(await none.ensure(['10.7.7.7'], true)).toEqual({ changed: [], problems: [], advice: [] });
  await none.refreshInBackground();
  expect(await none.repair()).toEqual([]);
});
