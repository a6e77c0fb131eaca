import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { optionsPage, withLabels } from '../../../controller/config/reference.ts';

function textOf(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

// `npm run options` makes both anew.

test('docs/options.md is up to date with the list of options', () => {
  expect(textOf('docs/options.md')).toBe(optionsPage());
});

test('the table in docs/labels.md is up to date with the list of labels', () => {
  const page = textOf('docs/labels.md');
  expect(page).toContain('| `IPVS_WEIGHT` |');
  expect(page).toBe(withLabels(page));
});

test('the table replaces what was between the markers, and nothing else', () => {
  const made = withLabels('before\n<!-- labels -->\nold $& table\n<!-- /labels -->\nafter\n');
  expect(made).toMatch(/^before\n<!-- labels -->\n\n\| Where \| Label \| Meaning \|\n/);
  expect(made).toMatch(/ \|\n\n<!-- \/labels -->\nafter\n$/);
  expect(withLabels(made)).toBe(made);
  expect(withLabels('no markers')).toBe('no markers');
});
