import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jsonPieces } from '../../../controller/cli/json-pieces.ts';

test('the pieces of a document are the text that JSON.stringify makes of it', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue()))),
      (document) => {
        expect([...jsonPieces(document)].join('')).toBe(JSON.stringify(document, null, 2));
      },
    ),
  );
});

test('what is undefined is left out, as JSON.stringify does', () => {
  const document = { first: undefined, second: 'line\nline', third: undefined };
  expect([...jsonPieces(document)].join('')).toBe(JSON.stringify(document, null, 2));
});

test('no piece has more than one item of a list', () => {
  const pieces = [...jsonPieces({ services: ['first', 'second', 'third'] })];
  for (const piece of pieces) expect(piece.match(/first|second|third/g) ?? []).not.toHaveProperty('1');
});
