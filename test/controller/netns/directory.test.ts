/** With real files and real network namespaces. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { followNamespaces } from '../../../controller/netns/directory.ts';
import { readNamespaceFile } from '../../../controller/netns/namespace-file.ts';
import type { NamespaceChanges } from '../../../controller/netns/namespaces.ts';
import { CAN_MAKE_NAMESPACES, type HeldNamespace, holdNamespace } from '../../support/network-namespaces.ts';
import { eventually } from '../../support/waiting.ts';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
/** Skipped where this user may make no network namespace. */
const withNamespaces = CAN_MAKE_NAMESPACES ? describe : describe.skip;

let held: readonly HeldNamespace[];
let one: string;
let other: string;
let folder: string;
let directory: string;
let stop: AbortController;
let following: Promise<void>;
let said: string[];
let last: NamespaceChanges | undefined;

beforeAll(async () => {
  held = CAN_MAKE_NAMESPACES ? await Promise.all([holdNamespace(), holdNamespace()]) : [];
  [one = '', other = ''] = held.map(({ path }) => path);
});
afterAll(async () => {
  for (const namespace of held) await namespace.end();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netns-'));
  directory = join(folder, 'l4lb');
  stop = new AbortController();
  following = Promise.resolve();
  said = [];
  last = undefined;
});

afterEach(async () => {
  stop.abort();
  await following;
  rmSync(folder, { recursive: true, force: true });
});

function follow(pollMs?: number): void {
  following = followNamespaces(
    { directory, log: SILENT, pollMs },
    {
      changed(changes) {
        last = changes;
        for (const { id } of changes.removed) said.push(`-${id}`);
        for (const { id } of changes.added) said.push(`+${id}`);
      },
      failed: ({ message }) => said.push(message.replace(folder, '')),
    },
    stop.signal,
  );
}

const heard = (...expected: readonly string[]) =>
  eventually(() => JSON.stringify(said) === JSON.stringify(expected), `said ${expected}, not ${said}`, 10);

function put(id: string, text: string): void {
  writeFileSync(join(directory, id), text);
}

withNamespaces('the namespaces of a directory', () => {
  test('added and removed containers are seen without waiting for the poll', async () => {
    mkdirSync(directory);
    put('a', `${one}\n`);
    follow(3_600_000);
    await heard('+a');
    put('b', other);
    await heard('+a', '+b');
    rmSync(join(directory, 'a'));
    await heard('+a', '+b', '-a');
    expect([...(last?.namespaces.keys() ?? [])]).toEqual(['b']);
  });

  test('a file that is created first and written later is seen once it is written', async () => {
    mkdirSync(directory);
    follow(3_600_000);
    await eventually(() => last !== undefined, 'the first look', 10);
    put('a', '');
    await eventually(() => last?.refused.length === 1, 'the empty file is told', 10);
    put('a', one);
    await heard('+a');
    expect(last?.refused).toEqual([]);
  });

  test('a file that is replaced by one of another namespace removes and adds', async () => {
    mkdirSync(directory);
    put('a', one);
    follow(3_600_000);
    await heard('+a');
    put('.new', other);
    renameSync(join(directory, '.new'), join(directory, 'a'));
    await heard('+a', '-a', '+a');
  });

  test('a namespace whose process ended is removed even if the directory is unchanged', async () => {
    mkdirSync(directory);
    const target = join(folder, 'target');
    symlinkSync(one, target);
    put('a', target);
    follow(10);
    await heard('+a');
    rmSync(target);
    await heard('+a', '-a');
  });

  test('a directory that appears late is found, and one that disappears removes nothing', async () => {
    follow(10);
    const missing = 'network namespaces in /l4lb: there is no such file or directory';
    await heard(missing);
    mkdirSync(directory);
    put('a', one);
    await heard(missing, '+a');
    renameSync(directory, `${directory}.away`);
    await heard(missing, '+a', missing);
    renameSync(`${directory}.away`, directory);
    put('b', other);
    await heard(missing, '+a', missing, '+b');
  });

  test('a directory where other users may write is not used', async () => {
    mkdirSync(directory);
    put('a', one);
    chmodSync(directory, 0o777);
    follow(10);
    await heard('network namespaces in /l4lb: other users may write to it: use `chmod go-w`');
    chmodSync(directory, 0o755);
    await eventually(() => said.includes('+a'), 'it is used', 10);
  });

  test('a file that names no namespace is reported and affects no other', async () => {
    mkdirSync(directory);
    put('a', one);
    put('b', '/etc/hostname');
    put('c', 'net');
    put('d', `/${'x'.repeat(5_000)}`);
    put('e', '/no/such/file');
    put('f', `${one}\n${other}`);
    put('.hidden', other);
    mkdirSync(join(directory, 'h'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory, 'i')]);
    symlinkSync(other, join(directory, 'j'));
    put('k', '/proc/self/ns/net');
    linkSync(join(directory, 'a'), join(directory, 'l'));
    put('m', '/proc/self/ns/mnt');
    symlinkSync('/proc/self/ns/user', join(directory, 'n'));
    put('o', one);
    chmodSync(join(directory, 'o'), 0o666);
    follow();
    await heard('+a', '+j');
    const expected = 'expected the path of a network namespace in it';
    const reasons = Object.fromEntries((last?.refused ?? []).map(({ id, reason }) => [id, reason]));
    expect(reasons).toEqual({
      b: 'it names /etc/hostname, which is not a namespace',
      c: expected,
      d: expected,
      e: 'it names /no/such/file: there is no such file or directory',
      f: expected,
      h: expected,
      i: expected,
      k: '/proc/self/ns/net is the network namespace of this program itself',
      l: `${one} is already the namespace of a`,
      m: expect.stringMatching(
        /^it names \/proc\/self\/ns\/mnt, which is a namespace of another kind: mnt:\[\d+\]$/,
      ),
      n: expect.stringMatching(/^it is a namespace of another kind: user:\[\d+\]$/),
      o: 'other users may write to it: use `chmod go-w`',
    });
  });

  test('a file may be a namespace itself', async () => {
    expect(await readNamespaceFile(one)).toMatchObject({ kind: 'namespace', path: one });
  });
});
