import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { optionsPage, optionsTable } from '../../../controller/config/reference.ts';

const file = (path: string) => new URL(`../../../${path}`, import.meta.url);

test('docs/options.md is what the list of options makes', () => {
  expect(readFileSync(file('docs/options.md'), 'utf8')).toBe(optionsPage());
});

const readme = existsSync(file('README.md')) ? readFileSync(file('README.md'), 'utf8') : '';
const table = /<!-- options -->\n+(.*?)\n+<!-- (?:\/options|end of options|options end|options) -->/s.exec(
  readme,
)?.[1];

(table === undefined ? test.skip : test)("the README's table is what the list of options makes", () => {
  expect(table).toBe(optionsTable());
});
