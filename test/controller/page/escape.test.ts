import { expect, test } from '@jest/globals';
import { type Attributes, h } from 'preact';
import { escapeNode } from '../../../controller/page/escape.ts';
import { ALL_HOSTILE, expectHarmless } from '../../support/hostile-text.ts';

/** What becomes of an element or a text that Preact makes. */
function shown<T extends { readonly type: unknown; props: unknown }>(made: T): T['props'] {
  escapeNode(made);
  return made.props;
}

test('characters that a reader would not see, or that change the order, are escaped', () => {
  const text = String(shown({ type: null, props: ALL_HOSTILE }));
  expect(text).toContain('\\u202eevil');
  expectHarmless(text.replaceAll(/[\n\t]/g, ''));
});

test('so are titles and texts for screen readers, but not the values of input fields', () => {
  const props = { title: '\u202ex', 'aria-label': '\u200by', value: ALL_HOSTILE };
  expect(shown(h('input', props))).toEqual({
    title: '\\u202ex',
    'aria-label': '\\u200by',
    value: ALL_HOSTILE,
  });
});

test('numbers, elements without such text, and props of components are unchanged', () => {
  expect(shown({ type: null, props: 1 })).toBe(1);
  expect(shown(h('p', null))).toEqual({});
  const given = { title: '\u202ex' } as Attributes;
  expect(shown(h(() => null, given))).toEqual(given);
});
