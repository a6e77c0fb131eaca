import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { messageOf as toldOf } from '../../../../controller/errors.ts';
import { parseJson } from '../../../../controller/source/json/text.ts';

test.each<[string, number, number]>([
  ['', 1, 1],
  ['hello', 1, 1],
  ['{"a": abc}', 1, 7],
  ['{"a":1,,}', 1, 8],
  ['{"a":1}}', 1, 8],
  ['{\n  "a": 1,\n  "b" 2\n}', 3, 7],
  ["{'a':1}", 1, 2],
  ['[1,]', 1, 4],
  ['{"a":"\\x"}', 1, 8],
  ['{"apps":[{"id":"/a"}', 1, 21],
  ['{"apps":[{"id":"/a', 1, 19],
  ['{"a":tru', 1, 9],
  ['[\n1,\n-x]', 3, 2],
])('the mistake in %j is at line %d, column %d', (text, line, column) => {
  expect(() => parseJson(text)).toThrow(new RegExp(`^line ${line}, column ${column}: `));
});

test.each([
  ['{"a":tru}', "line 1, column 9: Unexpected token '}'"],
  ['{}\n{}', 'line 2, column 1: Unexpected non-whitespace character after JSON'],
])('what is wrong with %j is reported once', (text, message) => {
  let thrown: unknown;
  try {
    parseJson(text);
  } catch (error) {
    thrown = error;
  }
  expect(toldOf(thrown)).toBe(message);
});

test('a byte order mark is no mistake', () => {
  expect(parseJson('\uFEFF{"a":1}')).toEqual({ a: 1 });
});

test('a character that is put into JSON is never reported after its place', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (json, random) => {
      const at = random % (json.length + 1);
      const text = `${json.slice(0, at)}\u0001${json.slice(at)}`;
      const message = messageOf(text);
      const column = Number(/^line 1, column (\d+)/.exec(message)?.[1]);
      expect(column).toBeGreaterThan(0);
      expect(column).toBeLessThanOrEqual(at + 1);
    }),
  );
});

function messageOf(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'none';
}
