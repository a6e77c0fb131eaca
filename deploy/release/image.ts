/** An image in a release: as it was saved, and what is in it besides the program. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Component } from './sbom.ts';

const run = promisify(execFile);

/** Of a build. It names the other modules, whose names change with what is in them: where it is the same, all are. */
const MAIN = 'program/marathon-ipvs.mjs';
/** Where the Dockerfile puts things. */
const PROGRAM = `usr/lib/marathon-ipvs/${MAIN}`;
const NODE = 'usr/lib/marathon-ipvs/node';
const SYSTEM = 'usr/lib/os-release';
const PACKAGES = 'var/lib/dpkg/status';
const READ: readonly string[] = [PROGRAM, NODE, SYSTEM, PACKAGES];

export interface Image {
  /** Its copy in the release. */
  readonly file: string;
  readonly component: Component;
  /** Node.js and the packages of Debian. */
  readonly others: readonly Component[];
}

/**
 * Copies the archive of an image (`docker save`, `buildah push … docker-archive:FILE`) into a release, and reads what is in
 * it. Rejects where it is no such archive, or the program in it is not the one in the folder `build`.
 */
export async function addImage(
  archive: string,
  { build, version, out }: { readonly build: string; readonly version: string; readonly out: string },
): Promise<Image> {
  const work = await mkdtemp(join(tmpdir(), 'marathon-ipvs-image-'));
  try {
    const { root, architecture } = await unpacked(archive, work);
    const at = async (path: string) =>
      await readFile(join(root, path)).catch(() => {
        throw new Error(`${archive}: ${path} is not in the image, expected one that the Dockerfile makes`);
      });
    if (!(await at(PROGRAM)).equals(await readFile(join(build, MAIN))))
      throw new Error(`${archive} holds another build than the one of this checkout: build the image anew`);
    const file = join(out, `marathon-ipvs-${version}-image-${architecture}.tar`);
    const bytes = await readFile(archive);
    await copyFile(archive, file);
    const component: Component = {
      type: 'container',
      'bom-ref': `marathon-ipvs-image-${architecture}`,
      name: 'marathon-ipvs',
      version,
      hashes: [{ alg: 'SHA-256', content: sha256(bytes) }],
    };
    const distribution = distributionOf((await at(SYSTEM)).toString());
    const packages = debianPackages((await at(PACKAGES)).toString(), distribution);
    return { file, component, others: [nodeOf(await at(NODE), archive), ...packages] };
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Unpacks the few files of all layers that are read, the later layer over the earlier. */
async function unpacked(archive: string, work: string): Promise<{ root: string; architecture: string }> {
  const root = join(work, 'root');
  await mkdir(root);
  await run('tar', ['-xf', archive, '-C', work]);
  const images = await readFile(join(work, 'manifest.json'), 'utf8').then(JSON.parse, () => []);
  if (images.length !== 1)
    throw new Error(`${archive}: expected the archive of one image, as docker save writes it`);
  const [{ Config, Layers }] = images as [{ Config: string; Layers: readonly string[] }];
  for (const layer of Layers) {
    const path = join(work, layer);
    const { stdout } = await run('tar', ['-tf', path], { maxBuffer: 2 ** 26 });
    const wanted = stdout.split('\n').filter((name) => READ.includes(name.replace(/^\.?\//, '')));
    if (wanted.length > 0) await run('tar', ['-xf', path, '-C', root, '--no-same-owner', ...wanted]);
  }
  const { architecture } = JSON.parse(await readFile(join(work, Config), 'utf8'));
  return { root, architecture };
}

/** The version is in the program, as the name of the archive with its source. */
function nodeOf(program: Buffer, archive: string): Component {
  const [, version] = /\/node-v(\d+\.\d+\.\d+)\.tar\.gz/.exec(program.toString('latin1')) ?? [];
  if (version === undefined) throw new Error(`${archive}: ${NODE} is no Node.js`);
  const purl = `pkg:generic/nodejs@${version}`;
  const hashes = [{ alg: 'SHA-256', content: sha256(program) }];
  return { type: 'application', 'bom-ref': purl, name: 'nodejs', version, purl, licenses: MIT, hashes };
}

const MIT = [{ license: { id: 'MIT' } }];

/** `debian-12`. */
function distributionOf(release: string): string {
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? '';
  return `${field('ID')}-${field('VERSION_ID')}`;
}

/** The installed packages of dpkg's list. */
function debianPackages(status: string, distribution: string): readonly Component[] {
  const [vendor = ''] = distribution.split('-');
  return status
    .split('\n\n')
    .map(
      (block) =>
        new Map(
          [...block.matchAll(/^([A-Za-z-]+): (.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
        ),
    )
    .filter((fields) => fields.get('Status')?.endsWith(' installed'))
    .map((fields): Component => {
      const [name = '', version = '', arch = ''] = ['Package', 'Version', 'Architecture'].map((key) =>
        fields.get(key),
      );
      const purl = `pkg:deb/${vendor}/${name}@${encodeURIComponent(version)}?arch=${arch}&distro=${distribution}`;
      return { type: 'library', 'bom-ref': purl, name, version, purl };
    });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
