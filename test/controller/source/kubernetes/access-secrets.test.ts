import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { messageOf } from '../../../../controller/errors.ts';
import { openAccess } from '../../../../controller/kubernetes/access.ts';

const SECRET = 'hunter2-hunter2';
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-access-'));
  process.env['KUBECONFIG'] = join(directory, 'config');
});
afterEach(() => {
  delete process.env['KUBECONFIG'];
  rmSync(directory, { recursive: true });
});

/** What is wrong with a kubeconfig of this text, or with the credentials that it gives. */
async function problemIn(text: string): Promise<string> {
  writeFileSync(join(directory, 'config'), text);
  const found: unknown = await openAccess(null)
    .then((access) => access.authorize(null))
    .catch((error: unknown) => error);
  if (!(found instanceof Error)) throw new Error('there is nothing wrong');
  return messageOf(found);
}

/** A kubeconfig with one user and one cluster. */
function withFields(user: unknown, cluster: object = {}): string {
  return stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'test',
  });
}

const print = (text: string, status: number) => ({
  command: 'sh',
  args: ['-c', `echo '${text}'; echo 'not ${text}' >&2; exit ${status}`],
});

describe('no message has a value of a user', () => {
  test.each<[string, unknown, RegExp]>([
    ['text for a user', SECRET, /users\[0\]\.user: expected an object, got text$/],
    ['a list for a token', { token: [SECRET] }, /users\[0\]\.user\.token: expected text, got a list$/],
    [
      'a number for a password',
      { username: 'a', password: 7 },
      /user\.password: expected text, got a number$/,
    ],
    ['a token for its file', { tokenFile: SECRET }, /tokenFile of user u in context test names no file/],
    [
      'a key for its file',
      { 'client-key': `-----BEGIN\n${SECRET}` },
      /client-key of user u .* names no file/,
    ],
    ['a NUL in a path', { 'client-key': `\0${SECRET}` }, /client-key of user u .* names no file/],
    ['a list for a key', { 'client-key-data': [SECRET] }, /client-key-data: expected text, got a list$/],
    [
      'a token with a line break',
      { token: `${SECRET}\nx` },
      /user u in .*header Authorization has a line break/,
    ],
    ['text for exec', { exec: SECRET }, /user\.exec: expected an object, got text$/],
    [
      'exec without a command',
      { exec: { args: [SECRET] } },
      /exec\.command of user u in context test is missing$/,
    ],
    ['a program that there is not', { exec: { command: `/${SECRET}` } }, /exec of user u .*no such program/],
    ['a plugin that prints a token', { exec: print(SECRET, 0) }, /did not print an ExecCredential in JSON$/],
    [
      'a plugin that prints no status',
      { exec: print(JSON.stringify({ SECRET }), 0) },
      /an ExecCredential in JSON$/,
    ],
    ['a plugin that fails', { exec: print(SECRET, 1) }, /exec of user u .* the program failed: not \*\*\*$/],
    [
      'a variable that is no text',
      { exec: { command: 'a', env: [{ name: SECRET, value: 1 }] } },
      /env\[0\]\.value: /,
    ],
    [
      'a provider that nothing here knows',
      { 'auth-provider': { name: SECRET, config: { 'access-token': SECRET } } },
      /auth-provider\.name of user u in context test: expected one of azure, gcp, oidc;/,
    ],
    [
      'a provider without a configuration',
      { 'auth-provider': { name: 'gcp' } },
      /auth-provider\.config of user u .* missing$/,
    ],
    [
      'text for a configuration',
      { 'auth-provider': { name: 'oidc', config: SECRET } },
      /config: expected an object, got text$/,
    ],
    [
      'a provider whose program fails',
      { 'auth-provider': { name: 'gcp', config: { 'cmd-path': 'false', 'cmd-args': SECRET } } },
      /auth-provider of user u in context test: Failed to refresh token: /,
    ],
  ])('%s', async (_what, user, expected) => {
    const problem = await problemIn(withFields(user));
    expect(problem).toMatch(expected);
    expect(problem).not.toMatch(/hunter2|Cannot|BEGIN/);
  });

  test.each<[string, RegExp]>([
    [`users: ${SECRET}`, /users: expected a list, got text$/],
    [`token: |${SECRET}`, /line 1: Unexpected characters$/],
    [`token: !${SECRET} x`, /line 1: Unresolved tag$/],
    [`{ ${SECRET}: 1, ${SECRET}: 2 }`, /line 1: Map keys must be unique$/],
    [`token: *${SECRET}`, /a YAML alias/],
    [`token: &${SECRET} { a: *${SECRET} }`, /a YAML alias/],
    [`%YAML ${SECRET}\n---\n`, /line 1: Invalid directive$/],
  ])('YAML that is wrong: %j', async (text, expected) => {
    const problem = await problemIn(text);
    expect(problem).toMatch(expected);
    expect(problem).not.toContain(SECRET);
  });
});

test.each([
  SECRET,
  `ftp://u:${SECRET}@127.0.0.1`,
  `http://u:${SECRET}@ x`,
  `http://u:${SECRET}@127.0.0.1:99999`,
])('a proxy that cannot be used is told without its password: %j', async (proxy) => {
  const problem = await problemIn(withFields({}, { 'proxy-url': proxy }));
  expect(problem).toMatch(
    /config cannot be used: proxy-url of cluster c in context test: expected an http, https or /,
  );
  expect(problem).not.toContain(SECRET);
});

test.each(['http://127.0.0.1:1', 'https://u:p@127.0.0.1:1', 'socks5://127.0.0.1'])(
  'a proxy %j is used',
  async (proxy) => {
    writeFileSync(join(directory, 'config'), withFields({}, { 'proxy-url': proxy }));
    const { dispatcher } = await (await openAccess(null)).authorize(null);
    expect(dispatcher).toBeDefined();
    await dispatcher?.close();
  },
);

test('a provider that an unused user has does not matter', async () => {
  const text = withFields({}).replace(
    'users:',
    'users:\n  - { name: other, user: { auth-provider: { name: x } } }',
  );
  writeFileSync(join(directory, 'config'), text);
  await expect(openAccess(null)).resolves.toBeDefined();
});

test('a file of several that is not there is passed over, as kubectl does, unless there is none', async () => {
  const config = join(directory, 'config');
  const missing = join(directory, 'missing');
  writeFileSync(config, withFields({}));
  process.env['KUBECONFIG'] = `${missing}:${config}`;
  await expect(openAccess(null)).resolves.toMatchObject({ server: 'https://127.0.0.1:1' });
  process.env['KUBECONFIG'] = `${missing}:${config}/x`;
  await expect(openAccess(null)).rejects.toThrow(/config\/x: a part of the path is not a directory$/);
  process.env['KUBECONFIG'] = `${missing}:${missing}`;
  await expect(openAccess(null)).rejects.toThrow(/missing cannot be used: none of these files exists$/);
});
