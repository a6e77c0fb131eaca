/** The program itself, with programs and a controller beside it whose every answer has secrets in it. */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { command, must } from '../../../support/shell.ts';

const LAUNCHER = join(import.meta.dirname, '../../../../controller/marathon-ipvs');

/** Each is in a file that an option names, and in what everybody says. */
const TOKENS = {
  'mesos-token-file': secret(),
  'read-token-file': secret(),
  'write-token-file': secret(),
  'server-token-file': secret(),
};
const USER = `marathon:${secret()}`;
/** Nobody knows of these; they are told by where they stand. */
const OTHERS = {
  ...{ url: secret(), header: secret(), digest: secret(), cookie: secret(), named: secret(), flag: secret() },
  ...{ query: secret(), key: secret(), label: secret(), vip: secret(), json: secret() },
};
const LEAKS = [
  ...Object.values(TOKENS).map((token) => `refused with ${token}`),
  `user ${USER}, ${Buffer.from(USER).toString('base64')}`,
  `GET http://me:${OTHERS.url}@marathon.example:8080/v2/apps`,
  `Authorization: Bearer ${OTHERS.header}`,
  `Authorization: Digest username="me", response="${OTHERS.digest}"`,
  `Set-Cookie: session=1; ${OTHERS.cookie}`,
  `DB_PASSWORD_PROD=one,${OTHERS.named}`,
  `helper --password one ${OTHERS.flag}`,
  `GET https://store.example/a.tgz?sig=${OTHERS.query}`,
  JSON.stringify({ body: JSON.stringify({ env: { MODE: OTHERS.json } }) }),
  `-----BEGIN PRIVATE KEY-----\n${OTHERS.key}\n-----END PRIVATE KEY-----`,
].join('\n');
const SECRETS = [...Object.values(TOKENS), USER, USER.split(':')[1] ?? '', ...Object.values(OTHERS)];

let directory: string;
let server: Server;
let requests = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'support-bundle-'));
  const at = (name: string) => join(directory, name);
  await Promise.all([
    mkdir(at('bin')),
    mkdir(at('state'), { mode: 0o700 }),
    mkdir(at('run'), { mode: 0o700 }),
  ]);
  for (const program of ['ip', 'nft', 'journalctl']) {
    await writeFile(at(`bin/${program}`), `#!/bin/sh\necho "${program} $*"\ncat '${at('leaks')}'\n`);
    await chmod(at(`bin/${program}`), 0o755);
  }
  await writeFile(at('leaks'), LEAKS);
  const labels = { VIP_0: '/web:80', VIPER: OTHERS.vip, PROXY_AUTH: `me:${OTHERS.label}` };
  const app = { id: '/web', ports: [{ labels }], warnings: [LEAKS], env: { MODE: OTHERS.json } };
  const rows = [
    ['put', 'app marathon /web', app],
    ['put', 'tcp/11.0.0.1:80', { name: 'web', token: OTHERS.named }],
  ];
  const state = `${rows.map((row) => `00000000 ${JSON.stringify(row)}`).join('\n')}\n${LEAKS}\n`;
  for (const name of ['run/ledger.json', 'state/source-0123456789abcdef.journal', 'state/names.journal']) {
    await writeFile(at(name), state, { mode: 0o600 });
  }
  await writeFile(at('state/of-someone-else.txt'), LEAKS);
  for (const [name, token] of Object.entries(TOKENS)) await writeFile(at(name), `${token}\n`);
  await writeFile(at('user'), USER);
  const definition = {
    id: '/web',
    env: { DB_PASSWORD: OTHERS.named },
    portDefinitions: [{ labels: { ...labels, VIP_1: `not a VIP ${OTHERS.vip}` } }],
    tasks: [],
  };
  await writeFile(at('apps.json'), JSON.stringify([definition]));
  server = createServer((request, response) => {
    requests += 1;
    const failure = { message: LEAKS };
    const status = { vips: [{ id: 'tcp/11.0.0.1:80' }], sources: [{ failure }], said: LEAKS };
    const metrics = `marathon_ipvs_vips 1\n${LEAKS}`;
    response.end(
      request.url === '/v1/status' ? JSON.stringify(status) : request.url === '/metrics' ? metrics : LEAKS,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await writeFile(
    at('config.yaml'),
    [
      `source: file=${at('apps.json')}`,
      `listen: 127.0.0.1:${port}`,
      `ledger: ${at('run/ledger.json')}`,
      `state-dir: ${at('state')}`,
      `marathon-user-file: ${at('user')}`,
      ...Object.keys(TOKENS).map((name) => `${name}: ${at(name)}`),
    ].join('\n'),
  );
});
afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true, force: true });
});

function secret(): string {
  return randomBytes(18).toString('hex');
}

/** Makes a bundle, and gives what was said and every file of it. */
async function bundle(name: string, path = '$PATH') {
  const line = [
    `cd '${directory}'`,
    `export PATH="${path}" DB_PASSWORD=${OTHERS.named}`,
    `exec "$0" support-bundle --config config.yaml --out '${name}'`,
  ].join('; ');
  const said = await command(['bash', '--norc', '-c', line, LAUNCHER]);
  return said;
}

async function unpacked(name: string): Promise<ReadonlyMap<string, string>> {
  const into = join(directory, `${name}.d`);
  await mkdir(into);
  await must(['tar', 'xzf', join(directory, name), '-C', into]);
  const entries = await readdir(into, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(async (file): Promise<[string, string]> => {
        const [, ...within] = file.slice(into.length + 1).split('/');
        return [within.join('/'), await readFile(file, 'utf8')];
      }),
    ),
  );
}

describe('a support bundle', () => {
  test('has all files, lists them, and contains no secret', async () => {
    const { status, stdout, stderr } = await bundle('all.tar.gz', `${join(directory, 'bin')}:$PATH`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const files = await unpacked('all.tar.gz');
    const names = [...files.keys()];
    expect(names.map((name) => name.replace(/\.error$/, '')).sort()).toEqual([
      'diff.txt',
      'doctor.txt',
      'ip-address.txt',
      'ip-route-6.txt',
      'ip-route.txt',
      'ip-rule-6.txt',
      'ip-rule.txt',
      'ipvs.txt',
      'log.txt',
      'metrics.txt',
      'nft-ruleset.txt',
      'options.json',
      'ready.txt',
      'run/ledger.json',
      'state/names.journal',
      'state/source-0123456789abcdef.journal',
      'status.json',
      'version.txt',
    ]);
    for (const name of names) expect(stdout).toContain(name);
    // What holds the secrets is there, and so is what a reader needs.
    expect(files.get('log.txt')).toMatch(/^journalctl .*--unit marathon-ipvs.*\nrefused with \*\*\*\n/);
    expect(JSON.parse(files.get('status.json') ?? '')).toEqual({
      vips: [{ id: 'tcp/11.0.0.1:80' }],
      sources: [{ failure: { message: expect.stringContaining('refused with ***') } }],
    });
    expect(files.get('ready.txt')).toContain('GET http://***@marathon.example:8080/v2/apps');
    expect(files.get('metrics.txt')).toBe('marathon_ipvs_vips 1\n');
    expect(files.get('state/names.journal')).toContain(
      '"id":"/web","ports":[{"labels":{"VIP_0":"/web:80","VIPER":"***","PROXY_AUTH":"***"}}]',
    );
    expect(files.get('run/ledger.json')).toContain('["put","tcp/11.0.0.1:80",{"name":"web"}]');
    expect(JSON.parse(files.get('options.json') ?? '')['read-token-file']).toEqual({
      value: join(directory, 'read-token-file'),
      from: 'file',
    });
    const all = [...files.values(), stdout].join('\n');
    for (const one of SECRETS) expect(all).not.toContain(one);
  });

  test('is readable by its owner only', async () => {
    expect((await stat(join(directory, 'all.tar.gz'))).mode & 0o777).toBe(0o600);
  });

  test('never replaces a file, and fails before collecting anything', async () => {
    requests = 0;
    await writeFile(join(directory, 'there.tar.gz'), 'mine');
    expect(await bundle('there.tar.gz')).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'marathon-ipvs: cannot write there.tar.gz: the file already exists; name another file with --out\n',
    });
    expect(await readFile(join(directory, 'there.tar.gz'), 'utf8')).toBe('mine');
    expect(requests).toBe(0);
  });
});
