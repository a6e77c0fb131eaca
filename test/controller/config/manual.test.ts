import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { manualPage } from '../../../controller/config/manual.ts';
import { flagName } from '../../../controller/config/option-text.ts';
import { optionNames } from '../../../controller/config/options.ts';

// `npm run options` makes it anew.

test('docs/marathon-ipvs.8 is up to date with the list of options', () => {
  const page = new URL('../../../docs/marathon-ipvs.8', import.meta.url);
  expect(readFileSync(page, 'utf8')).toBe(manualPage());
});

const groff = spawnSync('groff', ['--version']).status === 0;

(groff ? test : test.skip)('groff formats it without a warning, every option in it', () => {
  const { stdout, stderr, status } = spawnSync('groff', ['-man', '-Tascii', '-P-cbou', '-ww'], {
    input: manualPage(),
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  for (const name of optionNames) expect(stdout).toMatch(new RegExp(`\\n {7}(-\\w, )?${flagName(name)} `));
  expect(stdout).toMatch(/\n {7}app add \[file\]\n/);
});
