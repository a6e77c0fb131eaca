import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openReloadable } from '../../../controller/api/access/reloadable.ts';
import { openController } from '../../../controller/cli/commands/controller.ts';
import { systemReason } from '../../../controller/errors.ts';
import { credentialsFrom } from '../../../controller/http/credentials.ts';
import { readSmallFile } from '../../../controller/input/small-file.ts';
import { knownSecrets } from '../../../controller/support/secret-files.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'small-file-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string) => join(directory, name);
function pipe(): string {
  execFileSync('sh', ['-c', 'mkfifo "$0"', file('pipe')]);
  return file('pipe');
}
const reasonFor = (path: string) => readSmallFile(path).then(String, systemReason);

test('a regular file is read, through a symbolic link too', async () => {
  writeFileSync(file('token'), 'secret');
  symlinkSync('token', file('link'));
  expect(await reasonFor(file('link'))).toBe('secret');
});

test('anything else is refused at once', async () => {
  expect(await reasonFor(pipe())).toBe('expected a regular file, got a named pipe');
  expect(await reasonFor('/dev/zero')).toBe('expected a regular file, got a device');
  expect(await reasonFor(directory)).toBe('expected a regular file, got a directory');
  expect(await reasonFor(file('none'))).toBe('there is no such file or directory');
});

test('a file that is too large is refused unread', async () => {
  writeFileSync(file('huge'), '');
  truncateSync(file('huge'), 2 ** 40);
  expect(await reasonFor(file('huge'))).toBe('expected at most 1048576 bytes, got more');
});

test('a pipe in place of a token: the one read last stays, and the next regular file is taken', async () => {
  const path = file('token');
  writeFileSync(path, 'first');
  const token = await openReloadable(
    [{ flag: '--read-token-file', path }],
    ([text]) => String(text),
    new World(new FakeClock()).log,
  );
  rmSync(path);
  execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
  await token.reload();
  expect(token.current()).toBe('first');
  expect(token.warning()).toBe(
    `--read-token-file ${path} cannot be read: expected a regular file, got a named pipe; the previous contents stay in use`,
  );
  rmSync(path);
  writeFileSync(path, 'second');
  await token.reload();
  expect([token.current(), token.warning()]).toEqual(['second', null]);
});

test('nothing that reads a secret waits for the writer of a pipe', async () => {
  const path = pipe();
  const options = { userFile: '--marathon-user-file', tokenFile: '--marathon-token-file' };
  await expect(credentialsFrom({ kind: 'token', path }, options).header()).rejects.toThrow(
    `--marathon-token-file: ${path} cannot be read: expected a regular file, got a named pipe`,
  );
  await expect(
    openController({ server: 'http://127.0.0.1:1', listen: null, serverTokenFile: path }),
  ).rejects.toThrow(`--server-token-file ${path} cannot be read: expected a regular file, got a named pipe`);
  expect(await knownSecrets({ readTokenFile: path }, { KUBECONFIG: path })).toEqual([]);
});
