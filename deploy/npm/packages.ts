/**
 * Makes the npm packages: the program as it was built, and the library that it stands on.
 *
 *     npm run packages           # into dist-packages/
 *
 * The same source gives the same bytes.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildInto } from '../build/build.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Packs what `npm run build` made in the folder `build`, with the man page; gives the path of the package. It depends on no
 * other. The folder `out` must be there.
 */
export async function packProgram(build: string, out: string): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'marathon-ipvs-npm-'));
  try {
    await cp(build, work, { recursive: true });
    await cp(join(ROOT, 'docs/marathon-ipvs.8'), join(work, 'marathon-ipvs.8'));
    await cp(join(ROOT, 'README.md'), join(work, 'README.md'));
    await writeFile(join(work, 'package.json'), `${JSON.stringify(await manifest(), null, 2)}\n`);
    return await pack(work, out);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Compiles the library anew and packs it; gives the path of the package. The folder `out` must be there. */
export async function packLibrary(out: string): Promise<string> {
  return await pack(join(ROOT, 'ipvs'), out);
}

async function manifest() {
  const { name, version, description, license, type, engines } = JSON.parse(
    await readFile(join(ROOT, 'package.json'), 'utf8'),
  );
  return {
    name,
    version,
    description,
    license,
    type,
    engines,
    os: ['linux'],
    cpu: ['x64', 'arm64'],
    bin: { [name]: name },
    man: ['marathon-ipvs.8'],
  };
}

async function pack(folder: string, out: string): Promise<string> {
  // Called by another script of npm, it would take what that was told for itself.
  const environment = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?:package|lifecycle)_/.test(name),
  );
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', out], {
    cwd: folder,
    env: Object.fromEntries(environment),
  });
  return join(out, stdout.trim().split('\n').at(-1) ?? '');
}

if (import.meta.main) {
  const [build, out] = [join(ROOT, 'dist'), join(ROOT, 'dist-packages')];
  await buildInto(build);
  await mkdir(out, { recursive: true });
  for (const file of [await packProgram(build, out), await packLibrary(out)])
    process.stdout.write(`${file}\n`);
}
