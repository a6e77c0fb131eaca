import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BOUNDS, OverBound } from '../../../../controller/input/bounds.ts';
import { inTurns, Pace } from '../../../../controller/pace.ts';
import { readAnswer, readDocumentBytes } from '../../../../controller/source/document/document-bytes.ts';
import { checkSize, type Found, walkJson } from '../../../../controller/source/json/walk.ts';

const bomb = (element: string, count: number) => `{"apps":[{"id":"/a"}${`,${element}`.repeat(count)}]}`;

function elementsOf(bytes: Buffer, wanted: Parameters<typeof walkJson>[1]): Omit<Found, 'path'>[] {
  const elements: Omit<Found, 'path'>[] = [];
  for (const found of walkJson(bytes, wanted)) {
    if (found === null || found.json === undefined) continue;
    const { path: _, ...element } = found;
    elements.push(element);
  }
  return elements;
}

test('a list is taken apart to what JSON.parse makes of it, bare or under one key', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (list, indent) => {
      const elements = JSON.parse(JSON.stringify(list)).map((json: unknown) => ({ json }));
      const bare = Buffer.from(JSON.stringify(list, null, indent));
      const keyed = Buffer.from(JSON.stringify({ apps: list }, null, indent));
      expect(elementsOf(bare, 'each')).toEqual(elements);
      expect(elementsOf(keyed, { apps: 'each' })).toEqual(elements);
    }),
  );
});

test('a list after a byte order mark is one', () => {
  expect(elementsOf(Buffer.from('\uFEFF[1]'), 'each')).toEqual([{ json: 1 }]);
});

test.each([
  '',
  '7',
  '"[]"',
  '[{},]',
  '[,{}]',
  '[{} {}]',
  '[1 2]',
  '[{}',
  '[{"a":}]',
  '[{]}]',
  '[nul]',
  '[]]',
])('%j is no list', (text) => {
  expect(() => elementsOf(Buffer.from(text), 'each')).toThrow(SyntaxError);
});

describe('an answer', () => {
  const app = '{"id":"/a","cmd":"x"}';
  const answer = (text: string) => readAnswer(Buffer.from(text), 'apps', 'marathon');

  test.each(['{}', '{"apps":null}', '{"apps":{}}', '{"pods":[]}'])(
    'without its list is none: %s',
    async (text) => {
      expect(await answer(text)).toBeNull();
    },
  );

  test('may have other fields beside its list', async () => {
    expect((await answer(`{"a":[1],"apps":[${app}],"b":1}`))?.apps).toHaveLength(1);
  });

  test('that is cut short or has something added is never taken for a whole one', async () => {
    const whole = `{"apps":[${app},{"id":"/b","cmd":"]}"}]}`;
    for (let length = 0; length < whole.length; length++)
      await expect(answer(whole.slice(0, length))).rejects.toThrow(SyntaxError);
    for (const more of ['}', ',', '{}', '"']) await expect(answer(whole + more)).rejects.toThrow(SyntaxError);
  });
});

test('a group whose apps come first is read with all that is in it', async () => {
  const group =
    '{"apps":[{"id":"a","cmd":"x"}],"id":"/g","groups":[{"id":"h","apps":[{"id":"b","cmd":"x"}]}]}';
  const documents = await readDocumentBytes(Buffer.from(group), 'the file');
  expect(documents?.apps.map(({ id }) => id)).toEqual(['/g/a', '/g/h/b']);
});

describe('bounds', () => {
  test('a list of more elements than accepted is refused as a whole, whatever they are', () => {
    for (const element of ['{}', '0', '[]', '""']) {
      const bytes = Buffer.from(bomb(element, BOUNDS.items));
      expect(() => elementsOf(bytes, { apps: 'each' })).toThrow(OverBound);
    }
    const most = Buffer.from(bomb('{}', BOUNDS.items - 1));
    expect(elementsOf(most, { apps: 'each' })).toHaveLength(BOUNDS.items);
  });

  test('an element of too many values is not parsed, and the others are', () => {
    const large = `{"id":"/large","x":[0${',{}'.repeat(BOUNDS.values)}]}`;
    expect(elementsOf(Buffer.from(`[{"id":"/a"},${large},{"id":"/b"}]`), 'each')).toEqual([
      { json: { id: '/a' } },
      { json: { id: '/large' }, refused: `has more than ${BOUNDS.values} values` },
      { json: { id: '/b' } },
    ]);
  });

  test('a single value of too many values is not parsed, be it the id of such an element', () => {
    const large = `[0${',{}'.repeat(BOUNDS.values)}]`;
    const pieces = [...walkJson(Buffer.from(`{"type":${large},"id":1}`), { type: 'value', id: 'value' })];
    expect(pieces.filter((piece) => piece !== null)).toEqual([
      { path: 'type', json: undefined },
      { path: 'id', json: 1 },
    ]);
    expect(elementsOf(Buffer.from(`[{"id":${large}},{"id":"/b"}]`), 'each')).toEqual([
      { json: { id: undefined }, refused: `has more than ${BOUNDS.values} values` },
      { json: { id: '/b' } },
    ]);
  });

  test('a list of more values in all than accepted is refused as a whole, were they all in one element', () => {
    const values = Buffer.alloc(2 * BOUNDS.listValues, ',0');
    const bytes = Buffer.concat([Buffer.from('[{"id":"/a"},[0'), values, Buffer.from(']]')]);
    expect(() => elementsOf(bytes, 'each')).toThrow(`more than ${BOUNDS.listValues} values`);
  });

  test('others have their turn also while elements of two bytes are passed over', async () => {
    let rests = 0;
    class Restless extends Pace {
      override isDue = () => true;
      override rest = async () => {
        rests += 1;
      };
    }
    await inTurns(walkJson(Buffer.from(bomb('{}', 1_000)), { apps: 'each' }), new Restless());
    expect(rests).toBeGreaterThan(1_000);
  });

  test('a document that is no list is not parsed when it has too many values', async () => {
    const bytes = Buffer.from(`{"a":[0${',0'.repeat(BOUNDS.documentValues)}],"b":1}`);
    await expect(checkSize(bytes, new Pace())).rejects.toThrow(OverBound);
    await expect(checkSize(Buffer.from('{"a":[1,2],"b":"]]"}'), new Pace())).resolves.toBeUndefined();
  });
});

test('an object with two lists of apps is an error, and not the last of them', async () => {
  const bytes = Buffer.from('{"apps": [{"id": "/web", "cmd": "x"}], "apps": []}');
  await expect(readDocumentBytes(bytes, 'the file')).rejects.toThrow(
    'apps: expected one list, got more than one',
  );
  expect(await readAnswer(bytes, 'apps', 'the answer')).toBeNull();
});
