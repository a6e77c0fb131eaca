import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CommandName } from '../../../controller/config/option.ts';
import { flagName } from '../../../controller/config/option-text.ts';
import { describeOption, type OptionName, optionNames } from '../../../controller/config/options.ts';
import { ABSENT, directory, refusalOf, resolve } from './resolving.ts';

const at = (name: string) => join(directory, name);
const socket = createServer();

beforeAll(async () => {
  mkdirSync(at('folder'));
  writeFileSync(at('file'), 'a:b');
  writeFileSync(at('empty'), '');
  writeFileSync(at('secret'), 'a:b');
  chmodSync(at('secret'), 0o000);
  symlinkSync(at('folder'), at('link'));
  symlinkSync(at('file'), at('link-to-file'));
  execFileSync('sh', ['-c', 'mkfifo "$0"', at('pipe')]);
  await new Promise<void>((listening) => socket.listen(at('socket'), listening));
});
afterAll(() => void socket.close());

const inputs = optionNames.filter((name) => describeOption(name).file === 'read');

/** A command that the option belongs to, with what else it needs. */
function commandOf(name: OptionName): CommandName {
  const [command = 'run'] = describeOption(name).commands;
  return command;
}

/** Options that are refused alone. */
const WITH: Partial<Record<OptionName, Partial<Record<OptionName, string>>>> = {
  tlsCertFile: { tlsKeyFile: 'LICENSE' },
  tlsKeyFile: { tlsCertFile: 'LICENSE' },
  tlsClientCaFile: { tlsCertFile: 'LICENSE', tlsKeyFile: 'LICENSE' },
};

describe('an option that wants a file', () => {
  test.each(
    inputs.flatMap((name) => ['folder', 'link', 'pipe', 'socket'].map((what) => [name, what] as const)),
  )('%s does not take a %s', (name, what) => {
    const message = refusalOf({ flags: { ...WITH[name], [name]: at(what) } }, commandOf(name));
    const kind = { folder: 'a directory', link: 'a directory', pipe: 'a named pipe', socket: 'a socket' }[
      what
    ];
    expect(message).toBe(
      `${flagName(name)} on the command line: "${at(what)}" is not accepted, it is ${kind}; expected the path of a readable file`,
    );
  });

  test('refuses a device and an empty file for a token', () => {
    const token = (path: string) => refusalOf({ flags: { marathonTokenFile: path } });
    expect(token('/dev/zero')).toMatch(/it is a device; expected/);
    expect(token(at('empty'))).toMatch(/it is empty; expected/);
    expect(token(`${at('file')}/x`)).toMatch(
      /is not accepted, a part of the path is not a directory; expected/,
    );
    if (process.getuid?.() !== 0)
      expect(token(at('secret'))).toMatch(/is not accepted, access denied for user \d+; expected/);
    expect(resolve({ flags: { marathonTokenFile: at('link-to-file') } }).marathonTokenFile).toBe(
      at('link-to-file'),
    );
  });

  test('says where the path was given', () => {
    expect(refusalOf({ file: `marathon-ca-file: ${directory}\n` })).toMatch(
      /^--marathon-ca-file from \/.*config\.yaml: "\/.*" is not accepted, it is a directory; /,
    );
    expect(refusalOf({ environment: { MARATHON_IPVS_LEDGER: directory } })).toMatch(
      /^--ledger from MARATHON_IPVS_LEDGER: "\/.*" is not accepted, it is a directory; expected the path of a file$/,
    );
  });

  test('is not checked for other commands', () => {
    const file = `write-token-file: ${directory}\ntls-key-file: ${ABSENT}\nledger: ${directory}\n`;
    expect(() => resolve({ file }, 'status')).not.toThrow();
  });
});

test('the configuration file may be a file, or a pipe that a shell has opened', () => {
  for (const what of ['folder', 'pipe', 'socket'] as const) {
    expect(refusalOf({ flags: { config: at(what) } })).toMatch(/^--config on the command line: .* it is a /);
  }
  expect(resolve({ flags: { config: at('empty') } }).origins.zone).toBe('default');
  expect(resolve({ flags: { config: '/dev/null' } }).origins.zone).toBe('default');
});

test.each<[string, Parameters<typeof resolve>[0], string]>([
  ['--config', { flags: { config: ABSENT } }, '--config on the command line'],
  ['--against', { environment: { MARATHON_IPVS_AGAINST: ABSENT } }, '--against from MARATHON_IPVS_AGAINST'],
  ['a token', { flags: { marathonTokenFile: ABSENT } }, '--marathon-token-file on the command line'],
  [
    'a CA',
    { environment: { MARATHON_IPVS_MESOS_CA_FILE: ABSENT } },
    '--mesos-ca-file from MARATHON_IPVS_MESOS_CA_FILE',
  ],
])(
  'a file that is not there is told in plain words, with where its path was given: %s',
  (_what, given, where) => {
    const message = refusalOf(given, 'diff');
    expect(message).toContain(
      `${where}: "${ABSENT}" is not accepted, there is no such file or directory; expected `,
    );
    expect(message).not.toMatch(/ENOENT|stat|open/);
  },
);

test('a table to compare with cannot be a directory, nor a pipe, which might never be written', () => {
  expect(refusalOf({ flags: { against: at('pipe') } }, 'diff')).toMatch(
    /it is a named pipe; expected kernel, none/,
  );
  expect(refusalOf({ flags: { against: at('folder') } }, 'diff')).toMatch(
    /it is a directory; expected kernel, none/,
  );
  expect(resolve({ flags: { against: at('empty') } }, 'diff').against.kind).toBe('file');
});

test('the ledger may be missing, and so may the directory that it will be in', () => {
  expect(resolve({ flags: { ledger: join(ABSENT, 'a/b.json') } }).ledger).toBe(join(ABSENT, 'a/b.json'));
  for (const path of [directory, at('pipe'), '/dev/null', `${ABSENT}/`, join(at('file'), 'ledger.json')]) {
    expect(refusalOf({ flags: { ledger: path } })).toMatch(
      /^--ledger on the command line: .* expected the path of a file$/,
    );
  }
});

test('the state directory exists, or can be created', () => {
  expect(resolve({ flags: { stateDir: join(ABSENT, 'state') } }).stateDir).toBe(join(ABSENT, 'state'));
  expect(resolve({ flags: { stateDir: at('link') } }).stateDir).toBe(at('link'));
  for (const path of [at('file'), at('pipe'), join(at('file'), 'state')]) {
    expect(refusalOf({ flags: { stateDir: path } })).toMatch(
      /^--state-dir .* expected the path of a directory$/,
    );
  }
});

test('a file source may be a directory or a pipe, but not a socket or a device', () => {
  for (const what of ['folder', 'pipe'])
    expect(() => resolve({ flags: { source: [`file=${at(what)}`] } })).not.toThrow();
  for (const path of [at('socket'), '/dev/zero']) {
    expect(refusalOf({ flags: { source: [`file=${path}`] } })).toMatch(
      /^--source on the command line: "file=.*" is not accepted, it is a .*; expected a JSON file or a directory of them$/,
    );
  }
});
