/** What `npm run build` makes, where there is nothing else: a folder without node_modules, and a `node`. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildInto } from '../../deploy/build/build.ts';
import { command, type Outcome } from '../support/shell.ts';
import { eventually } from '../support/waiting.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const APPS = {
  apps: [
    {
      id: '/my-service',
      portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
      tasks: [
        {
          id: 'my-service.1',
          host: '10.0.0.1',
          ports: [31000],
          state: 'TASK_RUNNING',
          startedAt: '2026-01-01T00:00:00.000Z',
        },
      ],
    },
  ],
};

let folder: string;
let program: string;
let apps: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'marathon-ipvs-built-'));
  program = join(folder, 'marathon-ipvs');
  apps = join(folder, 'apps.json');
  await buildInto(program);
  await writeFile(apps, JSON.stringify(APPS));
  await symlink(process.execPath, join(folder, 'node'));
  environment = { PATH: `${folder}:/usr/bin:/bin`, HOME: folder };
});
afterAll(async () => await rm(folder, { recursive: true }));

async function marathonIpvs(...args: readonly string[]): Promise<Outcome> {
  const { PATH = '' } = environment;
  return await command(['env', '-i', '-C', folder, `PATH=${PATH}`, join(program, 'marathon-ipvs'), ...args]);
}

/** Runs it while `work` looks at its log, or at what that says that it serves; gives its log. */
async function whileRunning(
  args: readonly string[],
  work: (logged: () => string) => Promise<unknown>,
  started = program,
  more: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = spawn(join(started, 'marathon-ipvs'), args, {
    cwd: folder,
    env: { ...environment, ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (text) => {
    log += text;
  });
  try {
    await work(() => log);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  return log;
}

test('it is the program, its helper, its page, its compiled parts and the licences of what is in it', async () => {
  expect((await readdir(program)).sort()).toEqual(['LICENSE', 'licences.txt', 'marathon-ipvs', 'program']);
  const files = await readdir(join(program, 'program'), { recursive: true });
  const modules = files.filter((name) => name.endsWith('.mjs'));
  const other = files.filter((name) => !/\.mjs(?:\.map)?$/.test(name)).sort();
  expect(other).toEqual([
    'netlink-arm64.node',
    'netlink-x64.node',
    'page',
    'page/icon.svg',
    'page/page.css',
    'page/page.js',
  ]);
  expect(modules).toEqual(
    expect.arrayContaining(['marathon-ipvs.mjs', 'netns-helper.mjs', 'netns-facts.mjs']),
  );
  expect(files).toEqual(expect.arrayContaining(modules.map((name) => `${name}.map`)));
  const licences = await readFile(join(program, 'licences.txt'), 'utf8');
  for (const name of ['preact', 'netlink', 'zod', 'undici', '@kubernetes/client-node', 'node-addon-api'])
    expect(licences).toMatch(new RegExp(`^-{72}\n${name} [\\d.]+: (?:MIT|Apache-2.0)\n\n\\S`, 'm'));
});

test('of undici it has requests, and neither WebSocket, caches nor mocks', async () => {
  const files = await readdir(join(program, 'program'));
  const modules = files.filter((name) => name.endsWith('.mjs'));
  const texts = await Promise.all(modules.map((name) => readFile(join(program, 'program', name), 'utf8')));
  const classes = ['Agent', 'ProxyAgent', 'WebSocket', 'CacheStorage', 'MockAgent', 'MiloParser'];
  const found = classes.filter((name) => texts.some((text) => new RegExp(`\\b${name}=class\\b`).test(text)));
  expect(found).toEqual(['Agent', 'ProxyAgent']);
});

test('the same source gives the same bytes, and none that names where it was built', async () => {
  // Deeper down: paths that lead from there to the source would be others.
  const again = join(folder, 'once', 'again');
  await buildInto(again);
  for (const name of await readdir(program, { recursive: true })) {
    if ((await stat(join(program, name))).isDirectory()) continue;
    const [one, other] = await Promise.all([program, again].map((at) => readFile(join(at, name))));
    expect([name, one?.equals(other ?? Buffer.of())]).toEqual([name, true]);
    expect([name, one?.includes(ROOT)]).toEqual([name, false]);
  }
  await rm(again, { recursive: true });
});

describe('in an empty folder with a node alone', () => {
  test('it says its version and its help', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await marathonIpvs('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    for (const help of [['--help'], ['run', '--help'], ['relay', '--help'], ['app', '--help']]) {
      const { status, stdout, stderr } = await marathonIpvs(...help);
      expect([help, status, stderr]).toEqual([help, 0, '']);
      expect(stdout).toContain('Usage: marathon-ipvs');
    }
  });

  test('it makes the diff of a recorded answer, as text and as JSON', async () => {
    const words = ['diff', '--source', `file=${apps}`, '--against', 'none'];
    const { status, stdout, stderr } = await marathonIpvs(...words);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain('+ my-service.marathon.l4lb.thisdcos.directory:5555 tcp  11.134.217.55:5555');
    expect(JSON.parse((await marathonIpvs(...words, '-o', 'json')).stdout).summary).toMatchObject({ add: 1 });
  });

  test.each(['bash', 'zsh', 'fish'])('it prints the completion of %s', async (shell) => {
    const { status, stdout } = await marathonIpvs('completion', shell);
    expect(status).toBe(0);
    expect(stdout).toContain('marathon-ipvs');
  });

  test('its compiled part talks to the kernel: the doctor says what that has', async () => {
    const { stdout } = await marathonIpvs('doctor', '-o', 'json');
    expect(JSON.parse(stdout).findings.length).toBeGreaterThan(10);
    expect(stdout).not.toContain('netlink-x64.node');
  });

  test('it runs: it makes a pass, answers status and metrics, and serves its page', async () => {
    const words = [
      'run',
      '--dry-run',
      '--against',
      'none',
      '--source',
      `file=${apps}`,
      '--listen',
      '127.0.0.1:0',
    ];
    const log = await whileRunning([...words, '--state-dir', join(folder, 'state')], async (logged) => {
      const url = await eventually(() => /"url":"(http:[^"]+)"/.exec(logged())?.[1]);
      await eventually(() => logged().includes('"msg":"pass"'));
      const [row] = JSON.parse(await textAt(`${url}/v1/status`)).vips;
      expect(row).toMatchObject({ fqdn: 'my-service.marathon.l4lb.thisdcos.directory', port: 5555 });
      expect(await textAt(`${url}/metrics`)).toContain('marathon_ipvs_last_pass_timestamp_seconds');
      const paths = [...(await textAt(`${url}/`)).matchAll(/(?:href|src)="([^"]+)"/g)].map(
        ([, at]) => at ?? '',
      );
      expect(paths).toHaveLength(3);
      for (const path of paths) {
        const built = await readFile(join(program, 'program/page', path.split('/').at(-1) ?? ''), 'utf8');
        expect(await textAt(url + path)).toBe(built);
      }
    });
    expect(log).toMatch(/"add":1,.*"msg":"pass"/);
  });

  test('its start does not load the undici of Node.js, which nothing here uses', async () => {
    const hook = join(folder, 'loaded.cjs');
    const loaded = "process.moduleLoadList.filter((name) => name.endsWith('deps/undici/undici'))";
    await writeFile(hook, `process.on('exit', () => console.error('loaded: ' + JSON.stringify(${loaded})))`);
    const words = ['run', '--dry-run', '--against', 'none', '--source', `file=${apps}`];
    const log = await whileRunning(
      [...words, '--listen', '127.0.0.1:0', '--state-dir', join(folder, 'state')],
      async (logged) => await eventually(() => logged().includes('"msg":"pass"')),
      program,
      { NODE_OPTIONS: `--require=${hook}` },
    );
    expect(log).toContain('loaded: []\n');
  });

  test('while it runs its files may be replaced: all that it answers with is loaded at the start', async () => {
    const upgraded = join(folder, 'upgraded');
    await cp(program, upgraded, { recursive: true });
    const words = ['run', '--dry-run', '--against', 'none', '--source', `file=${apps}`];
    const ports = ['--listen', '127.0.0.1:0', '--dns-listen', '127.0.0.1:0'];
    const work = async (logged: () => string) => {
      const url = await eventually(() => /"url":"(http:[^"]+)"/.exec(logged())?.[1]);
      await eventually(() => logged().includes('"msg":"pass"'));
      await rm(upgraded, { recursive: true });
      const answers = await Promise.all(
        [
          '/',
          '/v1/status',
          '/v1/doctor',
          '/v1/why?vip=my-service',
          '/v1/diff',
          '/v1/history',
          '/metrics',
        ].map(async (path) => [path, (await fetch(url + path)).status]),
      );
      expect(answers.filter(([, status]) => status !== 200)).toEqual([]);
    };
    await whileRunning([...words, ...ports, '--state-dir', join(folder, 'state')], work, upgraded);
  });

  test('its relay starts, and reads the kubeconfig that it is given', async () => {
    const cluster = { server: 'http://127.0.0.1:9', 'insecure-skip-tls-verify': true };
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
      'current-context': 'c',
    };
    environment['KUBECONFIG'] = join(folder, 'kubeconfig');
    await writeFile(environment['KUBECONFIG'], JSON.stringify(kubeconfig));
    const words = ['relay', '--source', `file=${apps}`, '--listen', '127.0.0.1:0'];
    await whileRunning(words, async (logged) => {
      await eventually(() => /127\.0\.0\.1:9.*ECONNREFUSED/.test(logged()));
    });
  });
});

async function textAt(url: string): Promise<string> {
  return await eventually(async () => {
    const response = await fetch(url);
    return response.status === 200 && (await response.text());
  });
}
