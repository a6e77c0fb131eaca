import { expect, test } from '@jest/globals';
import { progressLine } from '../../../../controller/command/apps/terminal.ts';

function written(columns: number | null, ...lines: (string | null)[]): string {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const progress = progressLine({ isTTY: columns !== null, columns: columns ?? 0, write });
  for (const line of lines) progress(line);
  return text;
}

test('on a terminal one line replaces the other, cut to its width, and goes at the end', () => {
  expect(written(10, 'one', 'one', 'a longer line', null, null)).toBe(
    '\rone\u001b[K\ra longer \u001b[K\r\u001b[K',
  );
});

test('elsewhere each is a line of its own, once', () => {
  expect(written(null, 'one', 'one', 'two', null)).toBe('one\ntwo\n');
});

test('a terminal that does not tell its width is taken for one of 80', () => {
  expect(written(0, 'x'.repeat(100))).toBe(`\r${'x'.repeat(79)}\u001b[K`);
});
