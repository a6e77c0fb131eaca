import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { optionNames } from '../../../controller/config/options.ts';
import { knownSecrets } from '../../../controller/support/secret-files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'secret-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const NONE = {
  marathonUserFile: undefined,
  marathonTokenFile: undefined,
  mesosUserFile: undefined,
  mesosTokenFile: undefined,
  readTokenFile: undefined,
  writeTokenFile: undefined,
  serverTokenFile: undefined,
  tlsKeyFile: undefined,
  serverKeyFile: undefined,
};

test('tokens, passwords and the lines of keys are known', async () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIIEabcdefghijklmnop\nvQ==\n-----END PRIVATE KEY-----\n';
  const config = {
    ...NONE,
    readTokenFile: file('token', 'first\nsecond\n'),
    marathonUserFile: file('user', 'marathon:s3cret\n'),
    serverKeyFile: file('key', key),
    mesosTokenFile: join(directory, 'absent'),
  };
  const known = await knownSecrets(config, { KUBECONFIG: join(directory, 'absent') });
  expect(known).toEqual(expect.arrayContaining(['first', 'second', 's3cret', 'MIIEabcdefghijklmnop']));
  expect(known).not.toContain('vQ==');
});

test('every option that names a secret file is read', async () => {
  const names = optionNames.filter((name) => /(?:Token|User|Key)File$/.test(name));
  const files = names.map((name) => [name, file(name, `the secret of ${name}`)]);
  const known = await knownSecrets({ ...NONE, ...Object.fromEntries(files) }, { KUBECONFIG: directory });
  expect(names).toEqual(expect.arrayContaining(Object.keys(NONE)));
  for (const name of names) expect(known).toContain(`the secret of ${name}`);
});

test('so are the secrets of the files of KUBECONFIG, and not the names in them', async () => {
  const users = [{ name: 'admin', user: { token: 'abc123', 'client-key-data': 'S0VZ', username: 'me' } }];
  const paths = [
    file('a.json', JSON.stringify({ users, 'current-context': 'prod' })),
    file('b.yaml', 'users:\n- name: b\n  user: {password: 12345}\n'),
  ];
  const known = await knownSecrets(NONE, { KUBECONFIG: paths.join(':') });
  expect(known).toEqual(['abc123', 'S0VZ', '12345']);
});

test('secrets are found in kubeconfig files with mistakes, and after one that is nested too deeply', async () => {
  const paths = [
    file('deep', '['.repeat(100_000)),
    file('twice', 'user: {token: first, token: second}\n---\npassword: third\n'),
  ];
  expect(await knownSecrets(NONE, { KUBECONFIG: paths.join(':') })).toEqual(['first', 'second', 'third']);
});
