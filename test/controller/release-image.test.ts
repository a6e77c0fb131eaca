/** What a release reads of an image; one that the Dockerfile makes is read in test/image. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { addImage } from '../../deploy/release/image.ts';
import { must } from '../support/shell.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-image-'));
  for (const name of ['build/program', 'out']) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'build/program/marathon-ipvs.mjs'), 'the program');
});
afterEach(async () => await rm(folder, { recursive: true }));

const DEBIAN = {
  'var/lib/dpkg/status': [
    'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u10\nDescription: C\n library\n',
    'Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n',
    'Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2026a-0\n',
  ].join('\n'),
  'usr/lib/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
  'usr/lib/marathon-ipvs/node': 'an older one',
};
const OURS = {
  'usr/lib/marathon-ipvs/program/marathon-ipvs.mjs': 'the program',
  'usr/lib/marathon-ipvs/node': 'ELF https://nodejs.org/download/release/v24.21.0/node-v24.21.0.tar.gz',
};

/** An archive of an image with these layers, as `docker save` writes it. */
async function saved(...layers: readonly Readonly<Record<string, string>>[]): Promise<string> {
  const image = join(folder, 'image');
  const names: string[] = [];
  for (const [at, files] of layers.entries()) {
    const tree = join(folder, `layer-${at}`);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await writeFile(join(tree, path), text);
    }
    names.push(`${at}/layer.tar`);
    await mkdir(join(image, String(at)), { recursive: true });
    await must(['tar', '-czf', join(image, `${at}/layer.tar`), '-C', tree, '.']);
  }
  await writeFile(join(image, 'manifest.json'), JSON.stringify([{ Config: 'c.json', Layers: names }]));
  await writeFile(join(image, 'c.json'), JSON.stringify({ architecture: 'arm64' }));
  await must(['tar', '-cf', join(folder, 'image.tar'), '-C', image, '.']);
  return join(folder, 'image.tar');
}

const options = () => ({ build: join(folder, 'build'), out: join(folder, 'out'), version: '1.2.3' });

test('an image is copied, and what its last layers hold besides the program is listed', async () => {
  const archive = await saved(DEBIAN, OURS);
  const { file, component, others } = await addImage(archive, options());
  expect(file).toBe(join(folder, 'out/marathon-ipvs-1.2.3-image-arm64.tar'));
  expect(await readFile(file)).toEqual(await readFile(archive));
  expect(component).toMatchObject({ type: 'container', version: '1.2.3' });
  expect(others.map(({ purl }) => purl)).toEqual([
    'pkg:generic/nodejs@24.21.0',
    'pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12',
    'pkg:deb/debian/tzdata@1%3A2026a-0?arch=all&distro=debian-12',
  ]);
});

test.each([
  [
    'another build',
    [DEBIAN, { ...OURS, 'usr/lib/marathon-ipvs/program/marathon-ipvs.mjs': 'older' }],
    /holds another build/,
  ],
  ['no program', [DEBIAN], /marathon-ipvs\.mjs is not in the image/],
  ['no Node.js', [OURS, DEBIAN], /is no Node\.js$/],
])('one with %s is refused', async (_, layers, why) => {
  await expect(addImage(await saved(...layers), options())).rejects.toThrow(why);
});

test('an archive of something else is refused', async () => {
  const archive = join(folder, 'other.tar');
  await must(['tar', '-cf', archive, '-C', folder, 'build']);
  await expect(addImage(archive, options())).rejects.toThrow('expected the archive of one image');
});
