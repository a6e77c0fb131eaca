import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { repeatedKeysIn } from '../../../../controller/source/json/repeated-keys.ts';

const layouts = fc.constantFrom(undefined, 1, '\t', ' \r\n');

test('JSON with distinct keys reports none, in every layout', () => {
  fc.assert(
    fc.property(fc.jsonValue(), layouts, (json, space) => {
      const text = JSON.stringify(json, null, space);
      expect(repeatedKeysIn(text)).toEqual([]);
    }),
  );
});

test('a repeated key is found beside and inside any values', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), layouts, (one, other, space) => {
      const [before, after] = [one, other].map((json) => JSON.stringify(json, null, space));
      const text = `[${before},{"k":${before},"x":${after},"k":${after}}]`;
      expect(repeatedKeysIn(text)).toMatchObject([{ at: '[1].k' }]);
    }),
  );
});
