/** When a VIP moves from one tier to another: at once to a farther one, and to a nearer one only after a while. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Tier } from '../../../controller/model/place.ts';
import {
  chooseTier,
  FLAP_MS,
  HOLD_MS,
  MAX_HOLD_MS,
  nextChoiceAt,
  type TierChoice,
} from '../../../controller/plan/tier-choice.ts';

const ALL: readonly Tier[] = ['all'];
const ZONE: readonly Tier[] = ['zone', 'all'];

/** The choice after looks that find these tiers, each at a time in milliseconds. */
function afterLooks(...looks: readonly (readonly [at: number, available: readonly Tier[]])[]): TierChoice {
  let choice: TierChoice | undefined;
  for (const [at, available] of looks) choice = chooseTier(choice, available, at);
  if (choice === undefined) throw new Error('no look');
  return choice;
}

test('the first look takes the nearest tier with a backend in rotation', () => {
  expect(afterLooks([0, ZONE]).tier).toBe('zone');
  expect(afterLooks([0, ALL]).tier).toBe('all');
});

test('a tier that has lost its last backend is left at once', () => {
  expect(afterLooks([0, ['node', 'zone', 'all']], [1, ZONE]).tier).toBe('zone');
  expect(afterLooks([0, ['node', 'zone', 'all']], [1, ALL]).tier).toBe('all');
});

describe('a nearer tier', () => {
  test('counts again once it has had a backend for the whole wait, and that is when the next look is due', () => {
    const waiting = afterLooks([0, ZONE], [10, ALL], [1_000, ZONE]);
    expect(waiting.tier).toBe('all');
    expect(nextChoiceAt(waiting)).toBe(1_000 + HOLD_MS);
    expect(chooseTier(waiting, ZONE, 1_000 + HOLD_MS - 1).tier).toBe('all');
    expect(chooseTier(waiting, ZONE, 1_000 + HOLD_MS)).toMatchObject({
      tier: 'zone',
      movedNearer: 1_000 + HOLD_MS,
    });
  });

  test('that falls away while it is waited for is waited for anew', () => {
    const again = afterLooks([0, ALL], [1_000, ZONE], [20_000, ALL], [21_000, ZONE]);
    expect(chooseTier(again, ZONE, 1_000 + HOLD_MS).tier).toBe('all');
    expect(chooseTier(again, ZONE, 21_000 + HOLD_MS).tier).toBe('zone');
  });

  test('that is there for longer than one still nearer counts first', () => {
    const waiting = afterLooks([0, ALL], [1_000, ['region', 'all']], [10_000, ['zone', 'region', 'all']]);
    const region = chooseTier(waiting, ['zone', 'region', 'all'], 1_000 + HOLD_MS);
    expect(region.tier).toBe('region');
    expect(chooseTier(region, ['zone', 'region', 'all'], 10_000 + HOLD_MS).tier).toBe('zone');
  });

  test('that fell away soon after it counted again is waited for twice as long, up to a bound, and as long as ever after a calm time', () => {
    let choice = afterLooks([0, ALL]);
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      choice = chooseTier(choice, ZONE, now);
      const at = nextChoiceAt(choice);
      if (at === null) throw new Error('nothing is waited for');
      waits.push(at - now);
      choice = chooseTier(choice, ZONE, at);
      expect(choice.tier).toBe('zone');
      now = at + 5_000;
      choice = chooseTier(choice, ALL, now);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 16, 16].map((times) => times * HOLD_MS));
    expect(Math.max(...waits)).toBe(MAX_HOLD_MS);
    choice = chooseTier(choice, ZONE, now);
    choice = chooseTier(choice, ZONE, now + MAX_HOLD_MS);
    const calm = now + MAX_HOLD_MS + FLAP_MS + 1;
    expect(chooseTier(choice, ALL, calm).holdMs).toBe(HOLD_MS);
  });
});

test('however a zone flaps, the tier is always one that has a backend, and moves nearer at most once in each wait', () => {
  const looks = fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), fc.constantFrom(ALL, ZONE)), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(looks, (steps) => {
      let now = 0;
      let choice = chooseTier(undefined, ALL, now);
      let last = Number.NEGATIVE_INFINITY;
      for (const [gap, available] of steps) {
        now += gap;
        const next = chooseTier(choice, available, now);
        expect(available).toContain(next.tier);
        if (next.tier === 'zone' && choice.tier === 'all') {
          expect(now - last).toBeGreaterThanOrEqual(HOLD_MS);
          last = now;
        }
        // The same look again changes nothing.
        expect(chooseTier(next, available, now)).toEqual(next);
        choice = next;
      }
    }),
  );
});
