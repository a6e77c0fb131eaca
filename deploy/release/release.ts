/**
 * Makes all that a release consists of, and verifies one:
 *
 *     npm run release -- --out DIR [--image FILE…]
 *     npm run release -- --verify DIR
 *
 * The same commit gives the same bytes.
 */

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildInto } from '../build/build.ts';
import { dependenciesOf, manifestOf } from '../build/licences.ts';
import { makeBundle } from '../bundle/bundle.ts';
import { PROCESSORS, type Processor } from '../debian/node-program.ts';
import { makePackage } from '../debian/package.ts';
import { packLibrary, packProgram } from '../npm/packages.ts';
import { commitTime } from '../packaging/tree.ts';
import { makeRpm } from '../rpm/package.ts';
import { addImage } from './image.ts';
import { billOfMaterials, nodeComponent, npmComponent, type Subject } from './sbom.ts';
import { problemsOf, SBOM_SUFFIX, SUMS, sumsOf } from './verify.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Makes the artefacts in a folder, which is made anew: a Debian and an rpm package for each processor, the bundle for a Node.js that is
 * there already, as an archive and as an npm package, the npm package of the library, copies of `images`, the bill of
 * materials of each, and their sums. Rejects where that folder holds anything, or an image holds another build.
 */
export async function makeRelease(
  out: string,
  { processors = PROCESSORS, compression = 'xz', images = [] }: ReleaseOptions = {},
): Promise<void> {
  await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0)
    throw new Error(`${out} is not empty: expected a new folder, or an empty one`);
  const { name, version, license } = await manifestOf(ROOT);
  const madeAt = await commitTime();
  const work = await mkdtemp(join(tmpdir(), 'marathon-ipvs-release-'));
  const described = async (file: string, subject: Omit<Subject, 'madeAt'>) =>
    await writeFile(file + SBOM_SUFFIX, await billOfMaterials(ROOT, { ...subject, madeAt }));
  try {
    const build = join(work, 'build');
    const packages = await buildInto(build);
    const common = { build, version, out, madeAt };
    const program = { component: npmComponent('application', { name, version, license }), packages };
    for (const file of [await makeBundle(common), await packProgram(build, out)])
      await described(file, program);
    for (const processor of processors) {
      const options = { ...common, processor, compression };
      for (const file of [await makePackage(options), await makeRpm(options)])
        await described(file, { ...program, others: [nodeComponent(processor)] });
    }
    await described(await packLibrary(out), await library());
    for (const image of images) {
      const { file, component, others } = await addImage(image, common);
      await described(file, { component, packages, others });
    }
  } finally {
    await rm(work, { recursive: true });
  }
  await writeFile(join(out, SUMS), await sumsOf(out, await readdir(out)));
}

export interface ReleaseOptions {
  readonly processors?: readonly Processor[];
  readonly compression?: 'xz' | 'none';
  /** Archives of images, as `docker save` writes them, one for each processor. */
  readonly images?: readonly string[];
}

/** What is installed with the library. */
async function library(): Promise<Omit<Subject, 'madeAt'>> {
  const component = npmComponent('library', await manifestOf(join(ROOT, 'ipvs')));
  return { component, packages: await dependenciesOf(ROOT, 'ipvs') };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      verify: { type: 'string' },
      image: { type: 'string', multiple: true },
    },
  });
  const folder = resolve(values.out ?? values.verify ?? '');
  if ((values.out === undefined) === (values.verify === undefined)) {
    process.stderr.write(
      'expected --out DIR, to make a release there (with --image FILE, an image that it is to have), or --verify DIR\n',
    );
    process.exit(2);
  }
  if (values.out !== undefined) await makeRelease(folder, { images: values.image ?? [] });
  const problems = await problemsOf(folder);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length === 0) process.stdout.write(await readFile(join(folder, SUMS), 'utf8'));
  process.exitCode = problems.length === 0 ? 0 : 1;
}
