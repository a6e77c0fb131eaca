/** What `npm run packages` makes, installed where there is nothing else, and no network. */

import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildInto } from '../../deploy/build/build.ts';
import { packLibrary, packProgram } from '../../deploy/npm/packages.ts';
import { command, must } from '../support/shell.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const VERSION: string = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version;
/** What the library depends on, which an operator's npm fetches, as `npm ci` has brought it here. */
const FETCHED = ['netlink', 'node-gyp-build', 'node-addon-api', 'undici-types'];
/** Of another version than netlink asks for. */
const TYPES = '@types/node';

let folder: string;
let program: string;
let library: string;
let consumer: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'marathon-ipvs-packages-'));
  await buildInto(join(folder, 'build'));
  program = await packProgram(join(folder, 'build'), folder);
  library = await packLibrary(folder);
  consumer = join(folder, 'consumer');
  await mkdir(consumer);
  const [types, ...others] = await packed([TYPES, ...FETCHED]);
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    overrides: { [TYPES]: `file:${types}` },
  };
  await writeFile(join(consumer, 'package.json'), JSON.stringify(manifest));
  await install(consumer, [library, ...others]);
});
afterAll(async () => await rm(folder, { recursive: true }));

/** Packs packages of node_modules, in one go; gives the paths of the archives. */
async function packed(names: readonly string[]): Promise<readonly string[]> {
  const from = names.map((name) => join(ROOT, 'node_modules', name));
  const options = ['--silent', '--ignore-scripts', '--pack-destination', folder];
  const said = await must(['npm', 'pack', ...options, ...from]);
  return said
    .trim()
    .split('\n')
    .map((name) => join(folder, name));
}

async function install(into: string, packages: readonly string[]): Promise<void> {
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', into];
  await must(['npm', 'install', ...options, ...packages]);
}

/** Compiles a program of the consumer as its own `tsc` would, declarations of packages too; gives what that says. */
async function compile(source: string, types: readonly string[] = []): Promise<string> {
  await writeFile(join(consumer, 'main.ts'), source);
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2024',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types,
  };
  await writeFile(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  return (await command(['env', '-C', consumer, process.execPath, tsc, '--pretty', 'false'])).stdout;
}

test('the program is what the build made, depends on no package, and runs where it was installed', async () => {
  expect(basename(program)).toBe(`marathon-ipvs-${VERSION}.tgz`);
  const empty = join(folder, 'empty');
  await mkdir(empty);
  await install(empty, [program]);
  expect((await readdir(join(empty, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
    'marathon-ipvs',
  ]);
  const files = await readdir(join(empty, 'node_modules/marathon-ipvs'), { recursive: true });
  const built = await readdir(join(folder, 'build'), { recursive: true });
  expect(files.sort()).toEqual([...built, 'README.md', 'marathon-ipvs.8', 'package.json'].sort());

  await symlink(process.execPath, join(empty, 'node'));
  const marathonIpvs = async (...args: readonly string[]) =>
    await command([
      ...['env', '-i', '-C', empty, `PATH=${empty}:/usr/bin:/bin`],
      ...['node_modules/.bin/marathon-ipvs', ...args],
    ]);
  expect(await marathonIpvs('--version')).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
  await writeFile(join(empty, 'apps.json'), JSON.stringify({ apps: [] }));
  const diff = await marathonIpvs('diff', '--source', 'file=apps.json', '--against', 'none');
  expect(diff).toMatchObject({ status: 0, stderr: '' });
});

test('the library runs where it was installed: as a module and as a command', async () => {
  expect(basename(library)).toMatch(/^ipvs-netlink-ts-\d+\.\d+\.\d+\.tgz$/);
  const source = `
    import { IpvsClient, serviceKey } from 'ipvs-netlink-ts';
    import { FakeKernel } from 'ipvs-netlink-ts/testing';
    import { decode } from 'ipvs-netlink-ts/decode';
    import * as netlink from 'ipvs-netlink-ts/netlink';
    const kernel = new FakeKernel();
    const client = await IpvsClient.open({ transport: kernel.transport() });
    await client.addService({ protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'wlc' });
    for (const { service } of await client.listTable()) console.log(serviceKey(service), typeof decode, Object.keys(netlink).length > 0);
    console.log(kernel.print().trim());
    client.close();
  `;
  await writeFile(join(consumer, 'run.mjs'), source);
  expect(await command(['env', '-C', consumer, process.execPath, 'run.mjs'])).toEqual({
    status: 0,
    stdout: 'tcp/10.96.4.7:80 function true\n-A -t 10.96.4.7:80 -s wlc\n',
    stderr: '',
  });
  const help = ['node_modules/.bin/ipvs-netlink-ts', '--help'];
  const { status, stdout } = await command(['env', '-C', consumer, process.execPath, ...help]);
  expect(status).toBe(0);
  expect(stdout).toContain('Usage: ipvs-netlink-ts decode');
});

test("a consumer's compiler knows the types of the library, and refuses what they do not allow", async () => {
  const right = `
      import { type Change, IpvsClient, type IpvsErrorCode, isIpvsError, serviceKey } from 'ipvs-netlink-ts';
      import { decode } from 'ipvs-netlink-ts/decode';
      import * as netlink from 'ipvs-netlink-ts/netlink';
      import { FakeKernel } from 'ipvs-netlink-ts/testing';
      const client: IpvsClient = await IpvsClient.open({ transport: new FakeKernel().transport() });
      const change: Change = { op: 'add-service', service: { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'wlc' } };
      for (const { error } of await client.batch([change])) { const code: IpvsErrorCode = error.code; void code; }
      for (const { service } of await client.listTable()) { const connections: bigint = service.stats.connections; void connections; serviceKey(service); }
      isIpvsError(null, 'exists');
      void [decode, netlink];
    `;
  for (const types of [[], ['node']]) expect([types, await compile(right, types)]).toEqual([types, '']);
  const refused = await compile(`
    import { IpvsClient } from 'ipvs-netlink-ts';
    const client = await IpvsClient.open();
    await client.addService({ protocol: 'icmp', address: '10.0.0.1', port: 80, scheduler: 'wlc' });
    await client.addServices();
  `);
  expect(refused).toMatch(/^main\.ts\(4,.*error TS.*"icmp"/m);
  expect(refused).toMatch(/^main\.ts\(5,.*error TS.*addServices/m);
});

test('the same source gives the same bytes', async () => {
  const again = join(folder, 'again');
  await mkdir(again);
  for (const [one, other] of [
    [program, await packProgram(join(folder, 'build'), again)],
    [library, await packLibrary(again)],
  ] as const)
    expect((await readFile(one)).equals(await readFile(other))).toBe(true);
});
