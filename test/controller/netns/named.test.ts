/** Errors about the namespace of `--netns`. */

import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../../controller/cli/command-line.ts';
import { openNamespace } from '../../../controller/wire/netns-named.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netns-named-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function open(...args: readonly string[]) {
  return await openWith('cleanup', ...args);
}

async function openWith(...argv: readonly string[]) {
  const invocation = parseCommandLine(argv, {});
  if (!('config' in invocation)) throw new Error('no command');
  return await openNamespace(invocation.config);
}

test('without --netns a command works on its own namespace', async () => {
  expect(await open()).toBeNull();
  expect(await open('--netns-dir', directory)).toBeNull();
});

test('--netns needs --netns-dir', async () => {
  await expect(open('--netns', 'web')).rejects.toMatchObject({
    code: 'usage',
    message: '--netns web is given without --netns-dir, expected the directory that has the file',
  });
});

test('a missing file, or one without a namespace, is reported with its path', async () => {
  await expect(open('--netns-dir', directory, '--netns', 'web')).rejects.toMatchObject({
    code: 'usage',
    message: `--netns web: ${directory}/web: there is no such file or directory`,
  });
  await writeFile(join(directory, 'web'), 'no path\n');
  await expect(open('--netns-dir', directory, '--netns', 'web')).rejects.toThrow(
    `--netns web: ${directory}/web: expected the path of a network namespace in it`,
  );
});

test('a name that contains a directory is refused', async () => {
  await expect(open('--netns-dir', directory, '--netns', '../web')).rejects.toThrow(
    '--netns on the command line: "../web" is not accepted, expected the name of a file in the directory of --netns-dir',
  );
});

test('a directory or file that others may write to is refused, as `run` does', async () => {
  await writeFile(join(directory, 'web'), '/proc/1/ns/net\n');
  await chmod(join(directory, 'web'), 0o666);
  const inWeb = ['--netns-dir', directory, '--netns', 'web'];
  const refused = 'other users may write to it: use `chmod go-w`';
  await expect(open(...inWeb)).rejects.toThrow(`--netns web: ${directory}/web: ${refused}`);
  await chmod(directory, 0o777);
  await expect(open(...inWeb)).rejects.toThrow(`--netns web: ${directory}: ${refused}`);
  await expect(open('--netns-dir', '/etc/passwd', '--netns', 'web')).rejects.toThrow(
    '--netns web: /etc/passwd: it is not a directory',
  );
});

test("namespaces of other kinds and the program's own are refused", async () => {
  for (const kind of ['mnt', 'net']) await symlink(`/proc/self/ns/${kind}`, join(directory, kind));
  await expect(open('--netns-dir', directory, '--netns', 'mnt')).rejects.toThrow(
    /^--netns mnt: \S+\/mnt: it is a namespace of another kind: mnt:/,
  );
  await expect(open('--netns-dir', directory, '--netns', 'net')).rejects.toThrow(
    `${directory}/net: it is the network namespace of this program itself`,
  );
});

test('a diff against something other than the kernel enters no namespace', async () => {
  const diff = ['diff', '--source', `file=${directory}`, '--netns-dir', directory, '--netns', 'web'];
  await expect(openWith(...diff, '--against', 'none')).rejects.toMatchObject({
    code: 'usage',
    message: '--netns web is given with --against none, expected kernel: the table of that namespace',
  });
});

test('a command for the host ignores namespaces in the environment', () => {
  const invocation = parseCommandLine(['run', '--source', `file=${directory}`], {
    MARATHON_IPVS_NETNS: 'web',
  });
  if (invocation.command !== 'run') throw new Error('no run');
  expect(invocation.config.netns).toBeUndefined();
});
