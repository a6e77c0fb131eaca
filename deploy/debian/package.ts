/**
 * Makes the Debian package, for this machine's processor or for those that are named:
 *
 *     npm run deb [-- amd64 arm64]                # into dist-packages/
 *
 * The same commit gives the same bytes.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makePackages } from '../packaging/command.ts';
import {
  compressed,
  type Distribution,
  dated,
  layOut,
  type PackageOptions,
  pathsBelow,
  ROOT,
  script,
  textOf,
} from '../packaging/tree.ts';
import { ARCHITECTURES, changelog, controlFile, copyright, debianVersion } from './control.ts';
import { nodeProgram } from './node-program.ts';

const run = promisify(execFile);

/** Makes one package; gives its path. Rejects where a part is missing. */
export async function makePackage(options: PackageOptions): Promise<string> {
  const { version, processor, out, madeAt, compression = 'xz' } = options;
  const tree = await mkdtemp(join(tmpdir(), 'marathon-ipvs-deb-'));
  try {
    await layOut(tree, options, await debian(options));
    await describe(tree, options);
    await dated(tree, madeAt);
    const file = join(out, `marathon-ipvs_${debianVersion(version)}_${ARCHITECTURES[processor]}.deb`);
    // Several threads make other bytes than one does.
    const environment = { ...process.env, SOURCE_DATE_EPOCH: `${madeAt}`, DPKG_DEB_THREADS_MAX: '1' };
    await run('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', tree, file], {
      env: environment,
    });
    return file;
  } finally {
    await rm(tree, { recursive: true });
  }
}

async function debian({ build, version, processor, madeAt }: PackageOptions): Promise<Distribution> {
  const licences = await readFile(join(build, 'licences.txt'), 'utf8');
  const node = await nodeProgram(ROOT, processor);
  const doc = 'usr/share/doc/marathon-ipvs';
  return {
    completions: {
      bash: 'usr/share/bash-completion/completions/marathon-ipvs',
      zsh: 'usr/share/zsh/vendor-completions/_marathon-ipvs',
      fish: 'usr/share/fish/vendor_completions.d/marathon-ipvs.fish',
    },
    files: {
      'usr/share/lintian/overrides/marathon-ipvs': await textOf('deploy/debian/lintian-overrides'),
      [`${doc}/copyright`]: copyright(licences, await readFile(node.licence, 'utf8')),
      [`${doc}/changelog.gz`]: compressed(await textOf('CHANGELOG.md')),
      [`${doc}/changelog.Debian.gz`]: compressed(changelog(version, madeAt)),
    },
  };
}

/** Adds what dpkg reads: the description, the sums, and what is run when it is installed and removed. */
async function describe(tree: string, { version, processor }: PackageOptions): Promise<void> {
  const sums: string[] = [];
  let bytes = 0;
  for (const path of await pathsBelow(tree)) {
    const info = await stat(join(tree, path)).catch(() => null); // `current` is not there yet
    bytes += info?.size ?? 0;
    if (info?.isFile() !== true || path.startsWith('etc/')) continue;
    sums.push(
      `${createHash('md5')
        .update(await readFile(join(tree, path)))
        .digest('hex')}  ${path}\n`,
    );
  }
  const control = join(tree, 'DEBIAN');
  await mkdir(control);
  await writeFile(join(control, 'control'), controlFile(version, processor, bytes));
  await writeFile(join(control, 'conffiles'), '/etc/marathon-ipvs/config.yaml\n');
  await writeFile(join(control, 'md5sums'), sums.join(''));
  for (const name of ['preinst', 'postinst', 'prerm', 'postrm']) {
    const text = await script(`deploy/debian/maintainer-scripts/${name}`, version);
    await writeFile(join(control, name), text);
  }
}

if (import.meta.main) await makePackages(makePackage, ARCHITECTURES);
