import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BOUNDS, OverBound } from '../../../../controller/bounds.ts';
import { Pace } from '../../../../controller/pace.ts';
import { checkSize, type JsonList, splitList } from '../../../../controller/source/document/json-list.ts';

const listIn = (text: string) => splitList(Buffer.from(text), new Pace());
const elementsOf = (list: JsonList) => Array.from({ length: list.size }, (_, at) => list.element(at).json);

async function split(text: string) {
  const list = await listIn(text);
  return list && { key: list.key, elements: elementsOf(list) };
}

test('a list is taken apart to what JSON.parse makes of it, bare or under one key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), async (list, indent) => {
      const elements = JSON.parse(JSON.stringify(list));
      expect(await split(JSON.stringify(list, null, indent))).toEqual({ key: null, elements });
      expect(await split(JSON.stringify({ apps: list }, null, indent))).toEqual({ key: 'apps', elements });
    }),
  );
});

test('what is cut short or has something added is never taken for a whole list', async () => {
  const whole = '{"apps":[{"id":"/a","x":["]","\\"}"]},{"id":"/b"}]}';
  for (let length = 0; length < whole.length; length++)
    expect(await split(whole.slice(0, length))).toBeNull();
  for (const more of ['}', ',', '{}', '"']) expect(await split(whole + more)).toBeNull();
});

test.each([
  '',
  '{}',
  '7',
  '"[]"',
  '[{},]',
  '[,{}]',
  '[{} {}]',
  '{"a":1}',
  '{"a":[],"b":1}',
  '{"a":[]',
  '{a:[]}',
  '{"a"[]}',
])('%j is not one list', async (text) => {
  expect(await split(text)).toBeNull();
});

test.each(['[{"a":}]', '[{]}]', '[{"a":1]]', '[{"a":1}, {"b"}]', '[1 2]', '[nul]'])(
  'an element that is no JSON is found when it is parsed: %j',
  async (text) => {
    const list = await listIn(text);
    if (list !== null) expect(() => elementsOf(list)).toThrow(SyntaxError);
  },
);

describe('bounds', () => {
  const bomb = (element: string, count: number) => `{"apps":[{"id":"/a"}${`,${element}`.repeat(count)}]}`;

  test('a list of more elements than accepted is refused as a whole, whatever they are', async () => {
    for (const element of ['{}', '0', '[]', '""']) {
      await expect(listIn(bomb(element, BOUNDS.items))).rejects.toThrow(OverBound);
    }
    expect(await listIn(bomb('{}', BOUNDS.items - 1))).toMatchObject({ size: BOUNDS.items });
  });

  test('an element of too many values is not parsed, and the others are', async () => {
    const large = `{"id":"/large","x":[0${',{}'.repeat(BOUNDS.values)}]}`;
    const list = await listIn(`[{"id":"/a"},${large},{"id":"/b"}]`);
    expect([0, 1, 2].map((at) => list?.element(at))).toEqual([
      { json: { id: '/a' }, refused: null },
      { json: { id: '/large' }, refused: `has more than ${BOUNDS.values} values` },
      { json: { id: '/b' }, refused: null },
    ]);
  });

  test('a list of more values in all than accepted is refused as a whole, were they all in one element', async () => {
    const values = Buffer.alloc(2 * BOUNDS.listValues, ',0');
    const bytes = Buffer.concat([Buffer.from('[{"id":"/a"},[0'), values, Buffer.from(']]')]);
    await expect(splitList(bytes, new Pace())).rejects.toThrow(`more than ${BOUNDS.listValues} values`);
  });

  test('others have their turn also while elements of two bytes are counted', async () => {
    let rests = 0;
    class Restless extends Pace {
      override isDue = () => true;
      override rest = async () => {
        rests += 1;
      };
    }
    const few = 1_000;
    await splitList(Buffer.from(bomb('{}', few)), new Restless());
    const restsOfFew = rests;
    await splitList(Buffer.from(bomb('{}', 4 * few)), new Restless());
    expect(rests - restsOfFew).toBeGreaterThan(3 * restsOfFew);
  });

  test('a document that is no list is not parsed when it has too many values', async () => {
    const bytes = Buffer.from(`{"a":[0${',0'.repeat(BOUNDS.documentValues)}],"b":1}`);
    await expect(checkSize(bytes, new Pace())).rejects.toThrow(OverBound);
    await expect(checkSize(Buffer.from('{"a":[1,2],"b":"]]"}'), new Pace())).resolves.toBeUndefined();
  });
});
