/**
 * Makes the rpm package, for this machine's processor or for those that are named:
 *
 *     npm run rpm [-- x86_64 aarch64]                # into dist-packages/
 *
 * The same commit gives the same bytes where the same rpmbuild makes them.
 */

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeProgram } from '../debian/node-program.ts';
import { makePackages } from '../packaging/command.ts';
import {
  compressed,
  type Distribution,
  dated,
  layOut,
  type PackageOptions,
  ROOT,
  script,
  textOf,
} from '../packaging/tree.ts';
import { RPM_ARCHITECTURES, rpmName, specFile } from './spec.ts';

const run = promisify(execFile);
/** RHEL 8 reads both. */
const PAYLOADS = { xz: 'w6.xzdio', none: 'w.ufdio' } as const;

/** Makes one package; gives its path. Rejects where a part is missing, or there is no rpmbuild. */
export async function makeRpm(options: PackageOptions): Promise<string> {
  const { version, processor, out, madeAt, compression = 'xz' } = options;
  const work = await mkdtemp(join(tmpdir(), 'marathon-ipvs-rpm-'));
  try {
    const tree = join(work, 'tree');
    await layOut(tree, options, await distribution(options));
    await dated(tree, madeAt);
    const scriptlet = async (name: string) => await script(`deploy/rpm/scriptlets/${name}`, version);
    const [pre, post, preun, postun] = await Promise.all([
      scriptlet('pre'),
      scriptlet('post'),
      scriptlet('preun'),
      scriptlet('postun'),
    ]);
    const payload = PAYLOADS[compression];
    const spec = join(work, 'marathon-ipvs.spec');
    await writeFile(spec, specFile({ version, tree, scriptlets: { pre, post, preun, postun }, payload }));
    const architecture = RPM_ARCHITECTURES[processor];
    const defined = ['--define', `_topdir ${work}/top`, '--define', `_rpmdir ${work}`];
    const named = ['--define', '_build_name_fmt made.rpm', '--target', `${architecture}-linux`];
    const environment = { ...process.env, SOURCE_DATE_EPOCH: `${madeAt}` };
    await run('rpmbuild', ['-bb', ...defined, ...named, spec], { env: environment, maxBuffer: 2 ** 26 });
    const file = join(out, rpmName(version, processor));
    await copyFile(join(work, 'made.rpm'), file);
    return file;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('rpmbuild is missing: apt-get install rpm, or dnf install rpm-build', { cause: error });
  } finally {
    await rm(work, { recursive: true });
  }
}

async function distribution({ build, processor }: PackageOptions): Promise<Distribution> {
  const licences = 'usr/share/licenses/marathon-ipvs';
  const node = await nodeProgram(ROOT, processor);
  return {
    completions: {
      bash: 'usr/share/bash-completion/completions/marathon-ipvs',
      zsh: 'usr/share/zsh/site-functions/_marathon-ipvs',
      fish: 'usr/share/fish/vendor_completions.d/marathon-ipvs.fish',
    },
    files: {
      'usr/share/doc/marathon-ipvs/CHANGELOG.md.gz': compressed(await textOf('CHANGELOG.md')),
      [`${licences}/LICENSE`]: await textOf('LICENSE'),
      [`${licences}/licences.txt`]: await readFile(join(build, 'licences.txt'), 'utf8'),
      [`${licences}/node.txt`]: await readFile(node.licence, 'utf8'),
    },
  };
}

if (import.meta.main) await makePackages(makeRpm, RPM_ARCHITECTURES);
