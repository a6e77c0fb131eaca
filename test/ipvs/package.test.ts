import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'ipvs-package-'));

function run(command: string, args: readonly string[], cwd = project): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

/** The examples of the README, which belong together, as one program. */
function readmeProgram(): string {
  const readme = readFileSync(join(root, 'ipvs/README.md'), 'utf8');
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code).join('\n');
}

/** As strict as a consumer may be. No skipLibCheck: the declarations themselves must be sound. */
const tsconfig = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2022', 'DOM'],
    types: [],
    skipLibCheck: false,
    noEmit: true,
  },
  include: ['*.ts'],
};

describe('the package, packed and installed in an empty project', () => {
  beforeAll(() => {
    run('npm', ['pack', '--workspace', 'ipvs', '--pack-destination', project], root);
    const [tarball = ''] = readdirSync(project).filter((name) => name.endsWith('.tgz'));
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', resolve(project, tarball)]);
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('carries its command, declarations, sources, specification, licence and history, and nothing of the repository', () => {
    const files = readdirSync(join(project, 'node_modules/ipvs-netlink-ts'));
    expect(files.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'package.json',
      'spec',
      'src',
    ]);
  });

  test('type-checks the examples of its README, with strict settings', () => {
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
    writeFileSync(join(project, 'readme.ts'), readmeProgram());
    writeFileSync(
      join(project, 'more.ts'),
      `import { FakeKernel } from 'ipvs-netlink-ts/testing';
       import { decode, formatDecoded } from 'ipvs-netlink-ts/decode';
       import { attrTable, openNetlink, u32 } from 'ipvs-netlink-ts/netlink';
       export const table = attrTable('link', { mtu: { type: 4, codec: u32 } });
       export const mtu: number | undefined = table.read(new Uint8Array()).mtu;
       export const replies: Promise<Uint8Array[]> = openNetlink(0).request(18, 0x300, new Uint8Array(16));
       export const text: string = new FakeKernel().print() + formatDecoded(decode(new Uint8Array()));`,
    );
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', project]);
  });

  test('decodes from its command line, as text and as JSON, from standard input and from a file', () => {
    const input = join(root, 'test/ipvs/captures/strace.txt');
    const npx = (line: string) => run('sh', ['-c', `npx --no-install ipvs-netlink-ts ${line}`]);
    expect(npx(`decode < ${input}`)).toContain('\n      sched-name: sh\n');
    expect(JSON.parse(npx(`decode -o json ${input}`))).toMatchObject({
      messages: expect.any(Array),
      notes: [],
    });
  });

  test('reads no more of an input without end than it decodes', () => {
    const result = spawnSync('node_modules/.bin/ipvs-netlink-ts', ['decode', '/dev/zero'], {
      cwd: project,
      encoding: 'utf8',
    });
    expect([result.status, result.stdout]).toEqual([
      1,
      expect.stringContaining('only the first 64 MiB of the input are read'),
    ]);
  });

  test.each([
    ['decode --family x', 2, /^ipvs-netlink-ts: --family "x": expected a number from 17 to 65535\n$/],
    ['decode -o yaml', 2, /^ipvs-netlink-ts: --output "yaml": expected text or json\n$/],
    ['decode --nothing', 2, /^ipvs-netlink-ts: Unknown option '--nothing'/],
    [
      'decode missing.pcap',
      2,
      /^ipvs-netlink-ts: decode missing\.pcap: there is no such file or directory; /,
    ],
    [
      'decode /',
      2,
      /^ipvs-netlink-ts: decode \/: it is a directory, expected a file; --help lists the formats\n$/,
    ],
    ['encode', 2, /^ipvs-netlink-ts: "encode": expected decode \[FILE\]; --help shows more\n$/],
    ['decode /dev/null', 1, /^ipvs-netlink-ts: no netlink message found; --help lists the formats\n$/],
    ['decode --help', 0, /^$/],
  ])('%s exits with %i and says why', (line, status, stderr) => {
    const result = spawnSync('node_modules/.bin/ipvs-netlink-ts', line.split(' '), {
      cwd: project,
      encoding: 'utf8',
    });
    expect([result.status, result.stderr]).toEqual([status, expect.stringMatching(stderr)]);
  });

  test('standard input that is a directory is told as such', () => {
    const script = 'exec node_modules/.bin/ipvs-netlink-ts decode < /';
    const { status, stderr } = spawnSync('sh', ['-c', script], { cwd: project, encoding: 'utf8' });
    expect([status, stderr]).toEqual([
      2,
      'ipvs-netlink-ts: decode standard input: it is a directory, expected a file; --help lists the formats\n',
    ]);
  });

  test('runs from its JavaScript: the first example of the README, on a kernel in memory', () => {
    const example = readmeProgram().split('client.close();')[0] ?? '';
    const program = `
      import { FakeKernel } from 'ipvs-netlink-ts/testing';
      ${example.replace('open()', 'open({ transport: new FakeKernel().transport() })')}
      await client.addService({ protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'wlc' });
      console.log((await client.listTable()).map(({ service }) => serviceKey(service)).join());
    `;
    writeFileSync(join(project, 'run.mjs'), program);
    expect(run(process.execPath, ['run.mjs'])).toBe('tcp/10.96.4.7:80\n');
  });
});
