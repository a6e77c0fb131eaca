import { expect, test } from '@jest/globals';
import { progressLine } from '../../../../controller/command/apps/terminal.ts';

function written(isTTY: boolean, ...lines: (string | null)[]): string {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const progress = progressLine({ isTTY, columns: 10, write });
  for (const line of lines) progress(line);
  return text;
}

test('on a terminal one line replaces the other, cut to its width, and goes at the end', () => {
  expect(written(true, 'one', 'one', 'a longer line', null, null)).toBe(
    '\rone\u001b[K\ra longer \u001b[K\r\u001b[K',
  );
});

test('elsewhere each is a line of its own, once', () => {
  expect(written(false, 'one', 'one', 'two', null)).toBe('one\ntwo\n');
});
