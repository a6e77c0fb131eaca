import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { messageOf } from '../../../../controller/errors.ts';
import { openAccess } from '../../../../controller/kubernetes/access.ts';
import { createKubernetesClient } from '../../../../controller/kubernetes/client.ts';
import type { TestKubernetes } from '../../../support/kubernetes/start-kubernetes.ts';
import { silent, until } from '../support.ts';
import { clock, follow, never, removeApp, startServer, writeApp } from './setup.ts';

let directory: string;
const file = (name: string) => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-access-'));
  process.env['KUBECONFIG'] = file('config');
});

afterEach(() => {
  delete process.env['KUBECONFIG'];
  rmSync(directory, { recursive: true });
});

/** Writes the kubeconfig; `user` and `cluster` are fields of its only entries. */
function writeConfig(server: TestKubernetes, user: object = {}, cluster: object = {}): void {
  writeFileSync(
    file('config'),
    stringify({
      clusters: [
        { name: 'c', cluster: { server: server.url, 'insecure-skip-tls-verify': true, ...cluster } },
      ],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'test',
    }),
  );
}

async function open(log = silent) {
  return createKubernetesClient({ access: await openAccess(null, { clock, log }), clock, silenceMs: 5_000 });
}

const pipe = (path: string) => execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
const answers = (...tokens: string[]) => ({
  tokens: new Map(tokens.map((one) => [one, 'everything' as const])),
});

test('a token file that changed is read again within ten seconds, while the old token is still accepted', async () => {
  const tokens = new Map([['old', 'everything' as const]]);
  const server = await startServer({ tokens });
  writeFileSync(file('token'), 'old\n');
  writeConfig(server, { tokenFile: 'token' });
  const client = await open();
  const call = () => client.call('GET', '/api/v1/namespaces', {}, never);
  await expect(call()).resolves.toBeDefined();
  writeFileSync(file('token'), 'new\n');
  tokens.set('new', 'everything');
  await clock.sleep(10_000);
  await call();
  tokens.delete('old');
  await expect(call()).resolves.toBeDefined();
});

test('a token that expires is replaced by what the file has by then', async () => {
  const tokens = new Map([['old', 'everything' as const]]);
  const server = await startServer({ tokens });
  writeConfig(server, { token: 'old' });
  const client = await open();
  const call = () => client.call('GET', '/api/v1/namespaces', {}, never);
  await call();
  tokens.clear();
  tokens.set('new', 'everything');
  writeConfig(server, { token: 'new' });
  await call().catch(() => undefined);
  await expect(call()).resolves.toBeDefined();
});

test('a plugin whose token is refused is asked again, although the token has no end', async () => {
  const tokens = new Map([['1', 'everything' as const]]);
  const server = await startServer({ tokens });
  const plugin = `echo x >>"${file('runs')}"; n=$(wc -l <"${file('runs')}"); echo '{"status":{"token":"'$n'"}}'`;
  writeConfig(server, { exec: { command: 'sh', args: ['-c', plugin] } });
  const client = await open();
  const call = () => client.call('GET', '/api/v1/namespaces', {}, never);
  await call();
  server.faults.next(() => true, 'hang up');
  await expect(call()).rejects.toThrow();
  await expect(call()).resolves.toBeDefined();
  tokens.clear();
  tokens.set('2', 'everything');
  await expect(call()).rejects.toThrow('answered 401');
  await expect(call()).resolves.toBeDefined();
  expect(readFileSync(file('runs'), 'utf8')).toBe('x\nx\n');
});

test('when the kubeconfig names another server, its objects are followed within ten seconds, none of the old ones', async () => {
  const [one, other] = [await startServer(), await startServer()];
  // The version of the first server exists in the second one too: its changes before that must not be missed.
  for (let n = 0; n < 5; n += 1) writeApp(one, 'old');
  writeApp(other, 'new');
  for (let n = 0; n < 20; n += 1) {
    writeApp(other, 'more');
    removeApp(other, 'more');
  }
  writeConfig(one);
  const listener = await follow(await open());
  expect(listener.app('/old')).toBeDefined();
  writeConfig(other);
  await until('the objects of the other server', () => listener.app('/new') !== undefined);
  expect(listener.app('/old')).toBeUndefined();
});

test('a token that expires while its watch is open costs no object: the watch goes on with the next token', async () => {
  const tokens = new Map([['old', 'everything' as const]]);
  const server = await startServer({ tokens });
  writeConfig(server, { token: 'old' });
  writeApp(server, 'before');
  const listener = await follow(await open());
  await until('the watches', () => server.watchCount >= 2);
  tokens.clear();
  // As a server does that checks the token only when a watch begins.
  writeApp(server, 'during');
  await until('an event of the open watch', () => listener.app('/during') !== undefined);
  server.endWatches('end');
  await until('it is refused', () => server.requests.some(({ status }) => status === 401));
  expect(listener.app('/before')).toBeDefined();
  await until('it says so', () => listener.errors.some((error) => /answered 401/.test(error.message)));
  const lists = () => server.requests.filter(({ query }) => !query.includes('watch=true')).length;
  const before = lists();
  tokens.set('new', 'everything');
  writeConfig(server, { token: 'new' });
  writeApp(server, 'after');
  await until('the watch goes on', () => listener.app('/after') !== undefined);
  expect(lists()).toBe(before);
});

test('another user of the same server is used for watches too', async () => {
  const server = await startServer(answers('a', 'b'));
  writeConfig(server, { token: 'a' });
  const listener = await follow(await open());
  const watches = () => server.requests.filter(({ query }) => query.includes('watch=true')).length;
  await until('the watches', () => watches() >= 2);
  const text = readFileSync(file('config'), 'utf8');
  writeFileSync(file('config'), text.replace('name: u', 'name: v').replace('user: u', 'user: v'));
  await until('watches of the other user', () => watches() >= 4);
  writeApp(server, 'web');
  await until('its objects', () => listener.app('/web') !== undefined);
});

test.each<[string, (path: string) => void, RegExp]>([
  ['a named pipe', pipe, /expected a regular file, got a named pipe/],
  [
    'larger than any',
    (path) => writeFileSync(path, Buffer.alloc(1_048_577, 'x')),
    /expected at most 1048576 bytes/,
  ],
  ['a directory', (path) => execFileSync('mkdir', [path]), /expected a regular file, got a directory/],
])(
  'a file that is %s is an error at the start, and no reason to drop what was read before',
  async (_, make, why) => {
    const server = await startServer();
    const names = ['config', 'ca', 'cert', 'key', 'token'];
    const cluster = { 'certificate-authority': 'ca' };
    const user = { 'client-certificate': 'cert', 'client-key': 'key', tokenFile: 'token' };
    const restore = (name: string) => {
      rmSync(file(name), { recursive: true, force: true });
      if (name === 'config') writeConfig(server, user, cluster);
      else writeFileSync(file(name), 'x');
    };
    for (const name of names) restore(name);
    const warned: unknown[] = [];
    const access = await openAccess(null, {
      clock,
      log: { ...silent, warn: (_message, fields) => void warned.push(fields?.['reason']) },
    });
    for (const name of names) {
      rmSync(file(name));
      make(file(name));
      await expect(openAccess(null)).rejects.toThrow(why);
      await expect(openAccess(null)).rejects.toThrow(file(name));
      await expect(access.authorize('refused')).resolves.toMatchObject({ server: server.url });
      expect(warned.at(-1)).toMatch(why);
      restore(name);
    }
  },
);

test('a kubeconfig that is no YAML or lacks what its context names says so', async () => {
  const server = await startServer();
  writeFileSync(file('config'), 'clusters: [');
  await expect(open()).rejects.toThrow(/config.* cannot be used: line 1/);
  writeFileSync(file('config'), 'clusters: x');
  await expect(open()).rejects.toThrow(/config.* cannot be used: not a kubeconfig: clusters: expected/);
  writeConfig(server);
  writeFileSync(file('config'), readFileSync(file('config'), 'utf8').replace('name: u', 'name: w'));
  await expect(open()).rejects.toThrow(/context test names user u, which it does not have/);
});

test.each([
  '10.0.0.1:6443',
  'ftp://10.0.0.1',
  'https://10.0.0.1:99999',
  'https://10.0.0.1 ',
  'https://10.0.0.1/?a=b',
  'https://user:secret@10.0.0.1',
])('a server %p is an error at the start, and no reason to drop what was read before', async (url) => {
  const server = await startServer();
  writeConfig(server);
  const access = await openAccess(null, { clock });
  writeConfig(server, {}, { server: url });
  const refusal = await openAccess(null).catch(messageOf);
  expect(refusal).toMatch(/config cannot be used: server of cluster c: expected an http or https URL/);
  expect(refusal).not.toContain('secret');
  await expect(access.authorize('refused')).resolves.toMatchObject({ server: server.url });
});

test('files of several paths are one configuration, in which the first entry of a name counts', async () => {
  const server = await startServer();
  writeConfig(server);
  const other = {
    clusters: [{ name: 'c', cluster: { server: 'https://192.0.2.1' } }],
    'current-context': 'none',
  };
  writeFileSync(file('second'), stringify(other));
  process.env['KUBECONFIG'] = `${file('config')}:${file('second')}`;
  expect((await openAccess(null)).server).toBe(server.url);
});
