import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a definition that is not UTF-8 is refused, since Marathon would get other characters', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'input-'));
  try {
    const file = join(directory, 'app.json');
    await writeFile(file, Buffer.from('{"id": "/a", "env": {"PASSWORD": "gr\xfcn"}}', 'latin1'));
    const add = (place: string) => `"$0" app add --marathon http://127.0.0.1:1 ${place}`;
    const refused = (name: string) => ({
      status: 2,
      stdout: '',
      stderr: `marathon-ipvs: ${name} is not UTF-8: sending it would change its non-ASCII characters\n`,
    });
    expect(await command(['sh', '-c', add(file), LAUNCHER])).toEqual(refused(file));
    expect(await command(['sh', '-c', add(`< ${file}`), LAUNCHER])).toEqual(refused('standard input'));
  } finally {
    await rm(directory, { recursive: true });
  }
});
