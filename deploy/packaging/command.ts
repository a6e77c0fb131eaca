/** `npm run deb` and `npm run rpm`: a package of a checkout, in dist-packages/. */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildInto } from '../build/build.ts';
import { PROCESSORS, type Processor } from '../debian/node-program.ts';
import { commitTime, type PackageOptions, ROOT } from './tree.ts';

type Architectures = Readonly<Record<Processor, string>>;

/**
 * The processors that a command line names, in the words of a package format; `own` where it names none. Throws where a word is
 * no such name, or `own` is no processor that packages are made for.
 */
export function chosenProcessors(
  words: readonly string[],
  architectures: Architectures,
  own: string = process.arch,
): readonly Processor[] {
  const names = words.length > 0 ? words : [(architectures as Readonly<Record<string, string>>)[own] ?? own];
  return names.map((name) => {
    const processor = PROCESSORS.find((each) => architectures[each] === name);
    if (processor === undefined)
      throw new Error(
        `no package is made for '${name}': expected ${Object.values(architectures).join(' or ')}`,
      );
    return processor;
  });
}

/** Builds the program, makes its packages with `make`, and prints their paths. Sets the exit status: 2 for a wrong word. */
export async function makePackages(
  make: (options: PackageOptions) => Promise<string>,
  architectures: Architectures,
): Promise<void> {
  let processors: readonly Processor[];
  try {
    processors = chosenProcessors(process.argv.slice(2), architectures);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
    return;
  }
  const [build, out] = [join(ROOT, 'dist'), join(ROOT, 'dist-packages')];
  await buildInto(build);
  await mkdir(out, { recursive: true });
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const madeAt = await commitTime();
  for (const processor of processors)
    process.stdout.write(`${await make({ build, version, processor, out, madeAt })}\n`);
}
