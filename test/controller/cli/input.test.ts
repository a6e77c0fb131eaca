import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { LAUNCHER } from '../../support/program.ts';
import { command } from '../../support/shell.ts';

test.each([
  ['nothing', '< /dev/null'],
  ['a directory', `< ${tmpdir()}`],
  ['closed', '<&-'],
])('standard input that is %s has no definition, and is told so', async (_, redirected) => {
  const line = `exec "$0" app add --marathon http://127.0.0.1:1 ${redirected}`;
  expect(await command(['sh', '-c', line, LAUNCHER])).toEqual({
    status: 2,
    stdout: '',
    stderr: 'marathon-ipvs: standard input is empty, expected a JSON file, or JSON on standard input\n',
  });
});
