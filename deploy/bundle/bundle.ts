/**
 * Makes the bundle, for hosts with systemd that take neither of the packages:
 *
 *     npm run bundle                # into dist-packages/
 *
 * The same commit gives the same bytes.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzipSync } from 'node:zlib';
import { buildInto } from '../build/build.ts';
import { commitTime, type PackageOptions, ROOT } from '../packaging/tree.ts';

const run = promisify(execFile);

/** Makes one archive of what `npm run build` made, with what a host with systemd needs besides; gives its path. */
export async function makeBundle({
  build,
  version,
  out,
  madeAt,
}: Pick<PackageOptions, 'build' | 'version' | 'out' | 'madeAt'>): Promise<string> {
  const name = `marathon-ipvs-${version}`;
  const work = await mkdtemp(join(tmpdir(), 'marathon-ipvs-bundle-'));
  try {
    await cp(build, join(work, name), { recursive: true });
    await cp(join(ROOT, 'docs/marathon-ipvs.8'), join(work, name, 'marathon-ipvs.8'));
    await cp(join(ROOT, 'deploy/systemd'), join(work, name, 'systemd'), {
      recursive: true,
      // Its links lead to the documentation of a checkout.
      filter: (path) => basename(path) !== 'README.md',
    });
    const file = join(out, `${name}-linux.tar.gz`);
    const plain = join(work, `${name}.tar`);
    const alike = [
      '--sort=name',
      '--format=gnu',
      `--mtime=@${madeAt}`,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--mode=go=rX,u+rwX',
    ];
    await run('tar', [...alike, '-cf', plain, '-C', work, name]);
    await writeFile(file, gzipSync(await readFile(plain), { level: constants.Z_BEST_COMPRESSION }));
    return file;
  } finally {
    await rm(work, { recursive: true });
  }
}

if (import.meta.main) {
  const [build, out] = [join(ROOT, 'dist'), join(ROOT, 'dist-packages')];
  await buildInto(build);
  await mkdir(out, { recursive: true });
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  process.stdout.write(`${await makeBundle({ build, version, out, madeAt: await commitTime() })}\n`);
}
