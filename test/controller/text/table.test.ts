import { describe, expect, test } from '@jest/globals';
import { cut, pad, painter, shorten, table, textWidth } from '../../../controller/text/table.ts';

describe('the width of a text', () => {
  test.each([
    ['web', 3],
    ['ä', 1],
    ['a\u0308', 1],
    ['負荷', 4],
    ['한', 2],
    ['🚀', 2],
    ['→', 1],
    ['', 0],
  ])('of %j is %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  test('is kept when the text is cut or filled up, and no character is halved', () => {
    expect(cut('a🚀b', 2)).toBe('a');
    expect(shorten('負荷分散', 5)).toBe('負荷…');
    expect(shorten('web', 3)).toBe('web');
    expect([pad('負荷', 6), pad('負荷', 6, 'right')]).toEqual(['負荷  ', '  負荷']);
  });
});

test('columns are aligned whatever their characters', () => {
  const columns = [
    { title: 'APP', text: ([app]: readonly string[]) => app ?? '' },
    { title: 'STATE', text: ([, state]: readonly string[]) => state ?? '' },
  ];
  const rows = [
    ['/負荷', 'up'],
    ['/web', 'down'],
  ];
  const lines = table(rows, columns, { width: null, paint: painter(false) });
  const starts = lines.map((line) => textWidth(line.slice(0, line.search(/STATE|up|down/))));
  expect(new Set(starts).size).toBe(1);
});
