/** The namespace that `--netns` names, where it cannot be worked on. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../../controller/cli/command-line.ts';
import { openNamespace } from '../../../controller/wire-netns.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netns-named-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function open(...args: readonly string[]) {
  const invocation = parseCommandLine(['cleanup', ...args], {});
  if (invocation.command !== 'cleanup') throw new Error('no cleanup');
  return await openNamespace(invocation.config);
}

test('without --netns the command works on its own namespace', async () => {
  expect(await open()).toBeNull();
  expect(await open('--netns-dir', directory)).toBeNull();
});

test('--netns alone does not say where the file is', async () => {
  await expect(open('--netns', 'web')).rejects.toMatchObject({
    code: 'usage',
    message: '--netns web is given without --netns-dir, expected the directory that has the file',
  });
});

test('a file that is not there, or gives no namespace, is told with its path', async () => {
  await expect(open('--netns-dir', directory, '--netns', 'web')).rejects.toMatchObject({
    code: 'usage',
    message: `--netns web: ${directory}/web: there is no such file or directory`,
  });
  await writeFile(join(directory, 'web'), 'no path\n');
  await expect(open('--netns-dir', directory, '--netns', 'web')).rejects.toThrow(
    `--netns web: ${directory}/web: expected the path of a network namespace in it`,
  );
});

test('a name with a directory in it is refused', async () => {
  await expect(open('--netns-dir', directory, '--netns', '../web')).rejects.toThrow(
    '--netns on the command line: "../web" is not accepted, expected the name of a file in the directory of --netns-dir',
  );
});
