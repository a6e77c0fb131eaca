import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { splitList } from '../../../../controller/source/document/json-list.ts';

const split = (text: string) => {
  const list = splitList(Buffer.from(text));
  return list && { key: list.key, elements: [...list.elements] };
};

test('a list of objects is taken apart to what JSON.parse makes of it, bare or under one key', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
      fc.constantFrom(undefined, 1, '\t'),
      (list, indent) => {
        const elements = JSON.parse(JSON.stringify(list));
        expect(split(JSON.stringify(list, null, indent))).toEqual({ key: null, elements });
        expect(split(JSON.stringify({ apps: list }, null, indent))).toEqual({ key: 'apps', elements });
      },
    ),
  );
});

test('what is cut short or has something added is never taken for a whole list', () => {
  const whole = '{"apps":[{"id":"/a","x":["]","\\"}"]},{"id":"/b"}]}';
  for (let length = 0; length < whole.length; length++) expect(split(whole.slice(0, length))).toBeNull();
  for (const more of ['}', ',', '{}', '"']) expect(split(whole + more)).toBeNull();
});

test.each([
  '',
  '{}',
  '7',
  '"[]"',
  '[1]',
  '[{},]',
  '[,{}]',
  '[{} {}]',
  '{"a":1}',
  '{"a":[],"b":1}',
  '{"a":[]',
  '{a:[]}',
  '{"a"[]}',
  '[[{}]]',
])('%j is not one list of objects', (text) => {
  expect(split(text)).toBeNull();
});

test.each(['[{"a":}]', '[{]}]', '[{"a":1]]', '[{"a":1}, {"b"}]'])(
  'an element that is no JSON is found when it is parsed: %j',
  (text) => {
    const list = splitList(Buffer.from(text));
    if (list !== null) expect(() => [...list.elements]).toThrow(SyntaxError);
  },
);
