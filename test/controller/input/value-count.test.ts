import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasMoreValues } from '../../../controller/input/value-count.ts';
import { atOnce } from '../../../controller/pace.ts';

const hasMore = (json: unknown, most: number) =>
  atOnce(hasMoreValues(Buffer.from(JSON.stringify(json)), most));

/** Keys, and all values in it. */
function count(json: unknown): number {
  if (typeof json !== 'object' || json === null) return 1;
  const keys = Array.isArray(json) ? 0 : Object.keys(json).length;
  return Object.values(json).reduce((sum: number, each) => sum + count(each), keys + 1);
}

test('no document with more values than that is let through, and none with half of them refused', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 40 }), (json, most) => {
      if (count(json) > 2 * most) expect(hasMore(json, most)).toBe(true);
      if (count(json) <= most / 2) expect(hasMore(json, most)).toBe(false);
    }),
  );
});

test('what looks like values in a text is none', () => {
  expect(hasMore(['[{,:"[{,:\\'.repeat(20)], 5)).toBe(false);
});
