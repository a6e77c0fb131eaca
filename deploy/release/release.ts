/**
 * Makes all that a release consists of, and verifies one:
 *
 *     npm run release -- --out DIR
 *     npm run release -- --verify DIR
 *
 * The same commit gives the same bytes.
 */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { constants, gzipSync } from 'node:zlib';
import { buildInto } from '../build/build.ts';
import type { Package } from '../build/licences.ts';
import { PROCESSORS, type Processor } from '../debian/node-program.ts';
import { commitTime, makePackage } from '../debian/package.ts';
import { packProgram } from '../npm/packages.ts';
import { billOfMaterials } from './sbom.ts';
import { problemsOf, SBOM_SUFFIX, SUMS, sumsOf } from './verify.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Makes the artefacts in a folder, which is made anew: a Debian package for each processor, the bundle for a Node.js that is
 * there already, as an archive and as an npm package, the bill of materials of each, and their sums. Rejects where that folder holds anything.
 */
export async function makeRelease(
  out: string,
  { processors = PROCESSORS, compression = 'xz' }: ReleaseOptions = {},
): Promise<void> {
  await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0)
    throw new Error(`${out} is not empty: expected a new folder, or an empty one`);
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const madeAt = await commitTime();
  const work = await mkdtemp(join(tmpdir(), 'marathon-ipvs-release-'));
  try {
    const build = join(work, `marathon-ipvs-${version}`);
    const packages = await buildInto(build);
    const common = { build, version, out, madeAt };
    for (const file of [await bundle(common), await packProgram(build, out)])
      await described(file, { ...common, packages, nodes: [] });
    for (const processor of processors) {
      const file = await makePackage({ ...common, processor, compression });
      await described(file, { ...common, packages, nodes: [processor] });
    }
  } finally {
    await rm(work, { recursive: true });
  }
  await writeFile(join(out, SUMS), await sumsOf(out, await readdir(out)));
}

export interface ReleaseOptions {
  readonly processors?: readonly Processor[];
  readonly compression?: 'xz' | 'none';
}

interface Common {
  readonly build: string;
  readonly version: string;
  readonly out: string;
  readonly madeAt: number;
}

/** What `npm run build` makes, in one archive; gives its path. */
async function bundle({ build, version, out, madeAt }: Common): Promise<string> {
  const file = join(out, `marathon-ipvs-${version}-linux.tar.gz`);
  const plain = `${build}.tar`;
  const alike = [
    '--sort=name',
    '--format=gnu',
    `--mtime=@${madeAt}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=go=rX,u+rwX',
  ];
  await run('tar', [...alike, '-cf', plain, '-C', join(build, '..'), basename(build)]);
  await writeFile(file, gzipSync(await readFile(plain), { level: constants.Z_BEST_COMPRESSION }));
  return file;
}

async function described(
  file: string,
  subject: Common & { readonly packages: readonly Package[]; readonly nodes: readonly Processor[] },
): Promise<void> {
  await writeFile(file + SBOM_SUFFIX, await billOfMaterials(ROOT, subject));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' }, verify: { type: 'string' } } });
  const folder = resolve(values.out ?? values.verify ?? '');
  if ((values.out === undefined) === (values.verify === undefined)) {
    process.stderr.write('expected --out DIR, to make a release there, or --verify DIR\n');
    process.exit(2);
  }
  if (values.out !== undefined) await makeRelease(folder);
  const problems = await problemsOf(folder);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length === 0) process.stdout.write(await readFile(join(folder, SUMS), 'utf8'));
  process.exitCode = problems.length === 0 ? 0 : 1;
}
