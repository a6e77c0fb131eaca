import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readWithin } from '../../../../controller/input/bounded-read.ts';
import { createFileSource } from '../../../../controller/source/file/source.ts';
import { namesOf, silent } from '../support.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'irregular-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const never = new AbortController().signal;
const file = (name: string) => join(directory, name);
const read = (path: string, signal = never, maxBytes = 1_000_000) =>
  createFileSource({ path, resolver: namesOf(), log: silent, maxBytes }).read(signal);
const json = (id: string) =>
  JSON.stringify({ id, cmd: 'x', portDefinitions: [{ labels: { VIP_0: `${id}:80` } }] });
const makePipe = (path: string) => execFileSync('sh', ['-c', 'mkfifo "$0"', path]);

describe('in a directory', () => {
  test.each<[string, (path: string) => void, string]>([
    ['a pipe', makePipe, 'a named pipe'],
    ['a link to a device without an end', (path) => symlinkSync('/dev/zero', path), 'a device'],
    ['a link to a directory', (path) => symlinkSync('/', path), 'a directory'],
  ])('%s is a rejection, and the files beside it are read', async (_name, make, kind) => {
    writeFileSync(file('a.json'), json('/a'));
    make(file('b.json'));
    writeFileSync(file('c.json'), json('/c'));
    const { apps, rejected } = await read(directory);
    expect(apps.map(({ id }) => id)).toEqual(['/a', '/c']);
    const reason = `file ${file('b.json')}: expected a regular file, got ${kind}`;
    expect(rejected).toEqual([{ app: file('b.json'), at: '', value: '', reason }]);
  });

  test('a socket is one too', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(file('b.json'), listening));
    const { rejected } = await read(directory);
    await new Promise((closed) => server.close(closed));
    expect(rejected).toMatchObject([
      { reason: expect.stringMatching(/: expected a regular file, got a socket or a device$/) },
    ]);
  });
});

describe('a file by itself', () => {
  test('may be a pipe, of which all is read, however late it is written', async () => {
    makePipe(file('pipe'));
    const writing = spawn('sh', ['-c', 'cat > "$0"', file('pipe')], { stdio: ['pipe', 'ignore', 'inherit'] });
    const reading = read(file('pipe'));
    const text = json('/a');
    await new Promise((written) => writing.stdin.write(text.slice(0, 20), written));
    writing.stdin.end(text.slice(20));
    expect((await reading).apps.map(({ id }) => id)).toEqual(['/a']);
  });

  test.each(Array.from({ length: 20 }, (_, turn) => turn))(
    'is read to its end where a writer closes it at once (%i)',
    async () => {
      makePipe(file('pipe'));
      const writing = spawn('sh', ['-c', 'printf %s "$1" > "$0"', file('pipe'), json('/a')], {
        stdio: 'ignore',
      });
      const ended = new Promise((exit) => writing.once('exit', exit));
      const { apps } = await read(file('pipe'));
      expect(apps.map(({ id }) => id)).toEqual(['/a']);
      await ended;
    },
  );

  test('that is a pipe without a writer is waited for until the program is to end', async () => {
    makePipe(file('pipe'));
    const stop = new AbortController();
    const reading = read(file('pipe'), stop.signal);
    setImmediate(() => stop.abort(new Error('SIGTERM')));
    await expect(reading).rejects.toThrow('SIGTERM');
  });

  test('is read up to the limit, whatever size it reports', async () => {
    await expect(read('/dev/zero', never, 100_000)).rejects.toThrow(
      'file /dev/zero: it has more bytes than the limit, 100000; split it into a directory of files',
    );
    makePipe(file('pipe'));
    const writing = spawn('sh', ['-c', 'cat /dev/zero > "$0"', file('pipe')], { stdio: 'ignore' });
    const ended = new Promise((exit) => writing.once('exit', exit));
    await expect(read(file('pipe'), never, 100_000)).rejects.toThrow('more bytes than the limit, 100000');
    // Nobody reads on.
    await ended;
  });

  test('that reports size 0 is read to its end', async () => {
    const options = { mayBePipe: false, maxBytes: 1_000_000 };
    expect((await readWithin('/proc/version', options, never))?.toString()).toMatch(/^Linux version .*\n$/);
    expect(await readWithin('/proc/version', { ...options, maxBytes: 3 }, never)).toBeNull();
  });

  test.each([0, 1, 65_535, 65_536, 65_537, 200_000])('of %i bytes is read whole', async (bytes) => {
    writeFileSync(file('a'), Buffer.alloc(bytes, 7));
    const options = { mayBePipe: false, maxBytes: bytes };
    expect((await readWithin(file('a'), options, never))?.length).toBe(bytes);
  });
});
