import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ControllerError, messageOf, systemReason } from '../../controller/errors.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'errors-'));
  await writeFile(join(directory, 'file'), '');
});
afterAll(() => rm(directory, { recursive: true }));

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** An error as Node makes them: one of these cannot be caused on every machine. */
function refused(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}, open '/x/file'`), {
    code,
    syscall: 'open',
    path: '/x/file',
  });
}

describe('what the system says of a path is told in plain words', () => {
  test.each([
    ['absent', 'there is no such file or directory'],
    ['file/below', 'a part of the path is not a directory'],
    ['', 'it is a directory'],
    ['n'.repeat(300), 'the name is too long'],
  ])('%s', async (name, reason) => {
    const path = join(directory, name);
    expect(systemReason(await failureOf(readFile(path)))).toBe(reason);
  });

  test.each([
    ['EACCES', 'permission denied', /^access denied for user \d+$/],
    ['EROFS', 'read-only file system', /^the file system is read-only$/],
    ['EIO', 'i/o error', /^EIO: i\/o error$/],
  ])('%s', (code, text, reason) => {
    expect(systemReason(refused(code, text))).toMatch(reason);
  });
});

test('a message has the path once, also where another one around it names it', async () => {
  const path = join(directory, 'absent');
  const cause = await failureOf(stat(path));
  const told = 'there is no such file or directory';
  expect(messageOf(cause)).toBe(`${path}: ${told}`);
  expect(messageOf(new ControllerError('state', 'read the ledger', { cause }))).toBe(
    `read the ledger: ${path}: ${told}`,
  );
  expect(messageOf(new ControllerError('state', `read ${path}`, { cause }))).toBe(`read ${path}: ${told}`);
});

test('what is no file is told as it was', async () => {
  const error = await new Promise((failed) => connect(join(directory, 'socket')).once('error', failed));
  expect(messageOf(error)).toMatch(/^connect ENOENT .*socket$/);
  expect(systemReason(new Error('line 3, column 4'))).toBe('line 3, column 4');
});
