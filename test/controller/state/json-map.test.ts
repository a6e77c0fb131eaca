import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jsonOfMap } from '../../../controller/state/json-map.ts';

test('a map is written as the object with its fields', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue(), { noNullPrototype: true }),
      (fields) => {
        expect(JSON.parse(jsonOfMap(Object.entries(fields)))).toEqual(JSON.parse(JSON.stringify(fields)));
      },
    ),
  );
});
