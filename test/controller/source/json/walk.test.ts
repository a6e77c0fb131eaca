import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { walkJson } from '../../../../controller/source/json/walk.ts';

const WANTED = {
  type: 'value',
  list: 'each',
  state: { list: 'each', inner: { list: 'each', x: 'value' } },
} as const;

function walk(json: string): [string, unknown][] {
  const found: [string, unknown][] = [];
  for (const piece of walkJson(Buffer.from(json), WANTED))
    if (piece !== null && piece.json !== undefined) found.push([piece.path, piece.json]);
  return found;
}

/** What should be found in a parsed document. */
function wantedOf(json: unknown, wanted: object = WANTED, prefix = ''): [string, unknown][] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [];
  return Object.entries(json).flatMap(([key, value]): [string, unknown][] => {
    const want: unknown = Object.hasOwn(wanted, key) ? Reflect.get(wanted, key) : undefined;
    const path = `${prefix}${key}`;
    if (want === 'value') return [[path, value]];
    if (want === 'each')
      return Array.isArray(value) ? value.map((item): [string, unknown] => [path, item]) : [];
    return typeof want === 'object' && want !== null ? wantedOf(value, want, `${path}.`) : [];
  });
}

/** Documents in which the wanted keys are frequent. */
const documents = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue({ maxDepth: 2 }),
    fc.array(tie('value')),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.oneof(fc.constantFrom('type', 'list', 'state', 'inner', 'x', '__proto__'), fc.string()),
    tie('value'),
  ),
}));

describe('walking through JSON', () => {
  test('gives what parsing it gives, whatever else is in it and however it is laid out', () => {
    fc.assert(
      fc.property(documents.object, fc.constantFrom(undefined, 1, '\t', ' \r\n'), (document, space) => {
        const text = JSON.stringify(document, null, space);
        expect(walk(text)).toEqual(wantedOf(JSON.parse(text)));
      }),
    );
  });

  test('fails for every document that is cut', () => {
    fc.assert(
      fc.property(documents.object, fc.double({ min: 0, max: 0.999, noNaN: true }), (document, share) => {
        const bytes = Buffer.from(JSON.stringify(document));
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        expect(() => [...walkJson(cut, WANTED)]).toThrow(SyntaxError);
      }),
    );
  });

  test.each([
    ['', 'expected an object at byte 0, got the end'],
    ['[]', 'expected an object at byte 0'],
    ['{"a":1} x', 'expected the end at byte 8'],
    ['{"a":1,}', 'expected a key at byte 7'],
    ['{"a" 1}', 'expected ":" at byte 5'],
    ['{"a":1 "b":2}', 'expected "," or "}" at byte 7'],
    ['{"a":nope}', 'expected a value at byte 5'],
    ['{"a":}', 'expected a value at byte 5'],
    ['{"list":[1 2]}', 'expected "," or "]" at byte 11'],
    ['{"list":[{]}]}', 'JSON'],
    ['{"a":"b}', 'expected the end of a string'],
  ])('%j is a mistake', (text, message) => {
    expect(() => walk(text)).toThrow(message);
  });

  test('rests while a long part that is not wanted is passed over', () => {
    const other = Array.from({ length: 100_000 }, (_, index) => ({ name: 'a "quoted" ]}name', index }));
    const pieces = [...walkJson(Buffer.from(JSON.stringify({ other, list: [1] })), WANTED)];
    expect(pieces.filter((piece) => piece === null).length).toBeGreaterThanOrEqual(3);
    expect(pieces.at(-1)).toEqual({ path: 'list', json: 1 });
  });
});
