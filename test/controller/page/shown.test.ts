import { expect, test } from '@jest/globals';
import { shown, shownProps } from '../../../controller/page/shown.ts';
import { ALL_HOSTILE, expectHarmless } from '../../support/hostile-text.ts';

test('text that a reader would not see, or in another order, is shown by its code', () => {
  const [text, list] = shown([ALL_HOSTILE, ['one', ALL_HOSTILE]]) as [string, string[]];
  expect(text).toContain('\\u202eevil');
  for (const each of [text, ...list]) expectHarmless(each.replaceAll(/[\n\t]/g, ''));
});

test('so are titles and what a screen reader reads, while a field to type in keeps what it has', () => {
  const props = { title: '\u202ex', 'aria-label': '\u200by', value: ALL_HOSTILE };
  expect(shownProps(props)).toEqual({ title: '\\u202ex', 'aria-label': '\\u200by', value: ALL_HOSTILE });
  expect(shownProps(null)).toBeNull();
});

test('elements and numbers stay what they are', () => {
  const element = { props: { children: 'x' } };
  expect(shown([element, 1, null])).toEqual([element, 1, null]);
});
