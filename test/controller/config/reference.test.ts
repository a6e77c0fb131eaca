import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { optionsPage, withTables } from '../../../controller/config/reference.ts';

function textOf(path: string): string {
  const file = new URL(`../../../${path}`, import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

// `node --conditions=ipvs-source controller/config/reference.ts` makes both anew.

test('docs/options.md is what the list of options makes', () => {
  expect(textOf('docs/options.md')).toBe(optionsPage());
});

const readme = textOf('README.md');

(readme.includes('<!-- options -->') ? test : test.skip)(
  "the README's table is what the list of options makes",
  () => {
    expect(readme).toBe(withTables(readme));
  },
);

test('the table replaces what was between the markers, and nothing else', () => {
  const made = withTables('before\n<!-- options -->\nold $& table\n<!-- /options -->\nafter\n');
  expect(made).toMatch(/^before\n<!-- options -->\n\n\| Option \| Default \| \|\n/);
  expect(made).toMatch(/ \|\n\n<!-- \/options -->\nafter\n$/);
  expect(withTables(made)).toBe(made);
  expect(withTables('no markers')).toBe('no markers');
});
