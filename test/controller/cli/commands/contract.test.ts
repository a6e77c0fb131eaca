import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { command, type Outcome } from '../../../support/host.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const FIXTURES = new URL('../../../../../shared/fixtures/', import.meta.url);
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'contract-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function marathonIpvs(...args: readonly string[]): Promise<Outcome> {
  return await command(join(ROOT, 'controller', 'marathon-ipvs'), ...args);
}

async function file(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const task = {
  id: 'my-service.c9e1',
  host: '10.0.0.1',
  ports: [31000],
  state: 'TASK_RUNNING',
  startedAt: '2026-01-01T00:00:00Z',
};
const myService = {
  id: '/my-service',
  portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' }, name: 'my-vip' }],
  tasks: [task],
};
const bad = { id: '/bad', portDefinitions: [{ port: 0, labels: { VIP_0: 'nocolon' } }] };

describe('diff, as a script sees it', () => {
  test('prints the documented object and exits with 1 if there are differences', async () => {
    const path = await file('apps.json', { apps: [myService, bad] });
    const { status, stdout, stderr } = await marathonIpvs(
      'diff',
      '--source',
      `file=${path}`,
      '--against',
      'none',
      '-o',
      'json',
    );
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      apiVersion: 'marathon-ipvs/v1',
      summary: { add: 1, change: 0, remove: 0, keep: 0 },
      services: [
        {
          op: 'add',
          name: 'my-service',
          framework: 'marathon',
          fqdn: 'my-service.marathon.l4lb.thisdcos.directory',
          protocol: 'tcp',
          address: '11.134.217.55',
          port: 5555,
          scheduler: 'wlc',
          persistenceSeconds: 0,
          apps: ['/my-service'],
          backends: [
            {
              op: 'add',
              address: '10.0.0.1',
              port: 31000,
              weight: 1,
              forward: 'masquerade',
              task: 'my-service.c9e1',
              reason: 'running, no health check',
            },
          ],
        },
      ],
      declared: [
        {
          app: '/my-service',
          name: 'my-service',
          framework: 'marathon',
          address: null,
          protocol: 'tcp',
          port: 5555,
          backends: 1,
        },
      ],
      steps: ['-A -t 11.134.217.55:5555 -s wlc', '-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1'],
      rejected: [
        {
          app: '/bad',
          at: 'portDefinitions[0].labels.VIP_0',
          value: 'nocolon',
          reason: 'expected NAME:PORT or IP:PORT',
        },
      ],
      warnings: [],
    });
  });

  test('exits with 0 if there are none, whatever is rejected; with FILE services in our pools count as ours', async () => {
    const path = await file('apps.json', { apps: [myService, bad] });
    const same = await file(
      'same.txt',
      '-A -t 11.134.217.55:5555 -s wlc\n-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1\n',
    );
    expect(await marathonIpvs('diff', '--source', `file=${path}`, '--against', same)).toMatchObject({
      status: 0,
    });

    const more = await file('more.txt', `${readFileSync(same, 'utf8')}-A -t 11.9.9.9:80 -s rr\n`);
    const { status, stdout } = await marathonIpvs(
      'diff',
      '--source',
      `file=${path}`,
      '--against',
      more,
      '-o',
      'ipvsadm',
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '-D -t 11.9.9.9:80\n' });
  });

  test("with FILE a service outside the pools is another program's, as it is for run", async () => {
    const ipVip = { ...myService, id: '/ip', portDefinitions: [{ labels: { VIP_0: '192.0.2.30:80' } }] };
    const path = await file('apps.json', { apps: [myService, ipVip] });
    const ours = '-A -t 11.134.217.55:5555 -s wlc\n-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1\n';
    const foreign = [
      '-A -t 192.0.2.10:443 -s wrr',
      '-A -u 192.0.2.10:53 -s rr',
      '-A -t [2001:db8::1]:443 -s rr',
    ];
    const taken = ['-A -t 192.0.2.30:80 -s rr', '-a -t 192.0.2.30:80 -r 10.9.9.9:80 -g -w 1'];
    const table = await file('foreign.txt', ours + [...foreign, ...taken, ''].join('\n'));
    const diff = (...args: string[]) =>
      marathonIpvs('diff', '--source', `file=${path}`, '--against', table, ...args);

    const text = await diff();
    expect(text).toMatchObject({ status: 0, stderr: '' });
    expect(text.stdout).toMatch(/^! tcp\/192\.0\.2\.30:80 {2}\/ip {2}another program created this service/);
    expect(text.stdout).toMatch(/\n3 services of other programs are left alone\.\n$/);
    expect(await diff('-o', 'ipvsadm')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(JSON.parse((await diff('-o', 'json')).stdout)).toMatchObject({ leftAlone: 3, conflicts: [{}] });

    const adopting = await diff('--adopt', '-o', 'ipvsadm');
    expect(adopting.status).toBe(1);
    expect(adopting.stdout).not.toMatch(/192\.0\.2\.10|2001/);
    expect(adopting.stdout).toContain('-d -t 192.0.2.30:80 -r 10.9.9.9:80');

    const pool = await diff('--pool-ipv4', '192.0.2.0/24', '-o', 'ipvsadm');
    expect(pool.stdout).toContain('-D -t 192.0.2.10:443');
    expect(pool.stdout).not.toContain('-D -t 11.134.217.55:5555');
  });

  test('with an explicit ledger only its services are ours', async () => {
    const path = await file('none.json', '[]');
    const table = await file('table.txt', '-A -t 11.9.9.9:80 -s rr\n');
    const args = [
      'diff',
      '--source',
      `file=${path}`,
      '--against',
      table,
      '--ledger',
      join(directory, 'no-ledger.json'),
    ];
    expect(await marathonIpvs(...args)).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(
        /ledger .*no-ledger\.json \(--ledger\): there is no such file or directory; no service counts as this controller's/,
      ),
    });
  });

  test.each([
    ['an unknown option', ['diff', '--frobnicate'], 'frobnicate'],
    ['a source of an unknown kind', ['diff', '--source', 'carrier=pigeon'], 'carrier=pigeon'],
    [
      'a missing file',
      ['diff', '--source', 'file=/nowhere/apps.json', '--against', 'none'],
      '/nowhere/apps.json',
    ],
    ['a table that is none', ['diff', '--source', 'file=SHAPELESS', '--against', 'SHAPELESS'], 'ipvsadm -Sn'],
    [
      'a document of no known shape',
      ['diff', '--source', 'file=SHAPELESS', '--against', 'none'],
      'shapeless.json',
    ],
    [
      'a Marathon that nobody serves',
      ['diff', '--source', 'marathon=http://127.0.0.1:9', '--against', 'none'],
      'http://127.0.0.1:9',
    ],
    [
      'writing where the kernel is not compared with',
      ['run', '--once', '--source', 'file=SHAPELESS', '--against', 'none'],
      '--against',
    ],
  ])('%s gives one line that names it, and status 2', async (_what, args, named) => {
    const shapeless = await file('shapeless.json', '{"hello": "world"}');
    const { status, stdout, stderr } = await marathonIpvs(
      ...args.map((arg) => arg.replace('SHAPELESS', shapeless)),
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a table of more than 256 MiB is refused', async () => {
    const huge = await file('huge.txt', '');
    await truncate(huge, 256 * 2 ** 20 + 1);
    const apps = await file('no-apps.json', '[]');
    const { status, stderr } = await marathonIpvs('diff', '--source', `file=${apps}`, '--against', huge);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--against .*huge\.txt: larger than 268435456 bytes; expected the output of/);
  });

  const withoutIpvs = existsSync('/proc/net/ip_vs') ? test.skip : test;
  withoutIpvs('a host without the module is told how to load it, and how to do without', async () => {
    const path = await file('apps.json', { apps: [myService] });
    const { status, stderr } = await marathonIpvs('diff', '--source', `file=${path}`);
    expect(status).toBe(2);
    expect(stderr).toContain('modprobe ip_vs');
    expect(stderr).toContain('--against none');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

interface ExpectedVip {
  readonly vip: string;
  readonly fqdn?: string;
  readonly protocol: string;
  readonly port: number;
  readonly backends: readonly { readonly ip: string; readonly port: number; readonly weight: number }[];
}

const LONG = process.env['LONG_TESTS'] === 'yes';
const apiOf = (name: string) => name.split('-', 1)[0];

interface Document {
  readonly services: readonly {
    readonly name: string | null;
    readonly address: string;
    readonly fqdn: string | null;
    readonly protocol: string;
    readonly port: number;
    readonly backends: readonly {
      readonly address: string;
      readonly port: number;
      readonly weight: number;
    }[];
  }[];
}

/** One of each API unless `LONG_TESTS=yes`: each is a start of the command, and what they give is tested without it too. */
const inputs = (existsSync(FIXTURES) ? readdirSync(FIXTURES) : [])
  .filter((name) => /^(marathon|app|pod|mesos|mesosv0)-.*\.expected\.json$/.test(name))
  .filter((name, at, all) => LONG || all.findIndex((other) => apiOf(other) === apiOf(name)) === at);
if (inputs.length === 0) test.skip('real inputs: ../shared/fixtures is not on this machine', () => undefined);
else {
  test('gives the expected result for the inputs of each API', async () => {
    for (const name of inputs) {
      const json = fileURLToPath(new URL(name.replace('.expected', ''), FIXTURES));
      const input = existsSync(json) ? json : `${json}l`;
      const { stdout, stderr } = await marathonIpvs(
        'diff',
        '--source',
        `file=${input}`,
        '--against',
        'none',
        '-o',
        'json',
      );
      expect({ name, stderr }).toEqual({ name, stderr: '' });
      const document: Document = JSON.parse(stdout);
      const expected: { readonly vips: readonly ExpectedVip[] } = JSON.parse(
        readFileSync(new URL(name, FIXTURES), 'utf8'),
      );
      const found = document.services.flatMap(({ name: vip, address, fqdn, protocol, port, backends }) =>
        backends.map((backend) =>
          [vip ?? address, fqdn ?? '', protocol, port, backend.address, backend.port, backend.weight].join(
            ' ',
          ),
        ),
      );
      const wanted = expected.vips.flatMap(({ vip, fqdn, protocol, port, backends }) =>
        backends.map((backend) =>
          [vip, fqdn ?? '', protocol, port, backend.ip, backend.port, backend.weight].join(' '),
        ),
      );
      expect({ name, backends: found.sort() }).toEqual({ name, backends: wanted.sort() });
    }
  });
}
