/**
 * Makes the Debian packages, for both processors:
 *
 *     npm run deb                # into dist-packages/
 *
 * The same commit gives the same bytes.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  cp,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { constants, gzipSync } from 'node:zlib';
import { buildInto } from '../build/build.ts';
import { ARCHITECTURES, changelog, controlFile, copyright, debianVersion, unitFile } from './control.ts';
import { nodeProgram, PROCESSORS, type Processor } from './node-program.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SHELLS = {
  bash: 'usr/share/bash-completion/completions/marathon-ipvs',
  zsh: 'usr/share/zsh/vendor-completions/_marathon-ipvs',
  fish: 'usr/share/fish/vendor_completions.d/marathon-ipvs.fish',
} as const;

export interface PackageOptions {
  /** The folder that `npm run build` makes. */
  readonly build: string;
  readonly version: string;
  readonly processor: Processor;
  /** Where the package goes; the folder must be there. */
  readonly out: string;
  /** Seconds since 1970 that everything in it is dated. */
  readonly madeAt: number;
  /** `none` is for tests: xz takes minutes on a slow machine. */
  readonly compression?: 'xz' | 'none';
}

/** Makes one package; gives its path. Rejects where a part is missing. */
export async function makePackage(options: PackageOptions): Promise<string> {
  const { version, processor, out, madeAt, compression = 'xz' } = options;
  const tree = await mkdtemp(join(tmpdir(), 'marathon-ipvs-deb-'));
  try {
    await layOut(tree, options);
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

/** Puts the files where they will lie. */
async function layOut(tree: string, { build, version, processor, madeAt }: PackageOptions): Promise<void> {
  const node = await nodeProgram(ROOT, processor);
  const at = await folders(tree);
  const text = async (path: string) => await readFile(join(ROOT, path), 'utf8');
  const program = `usr/lib/marathon-ipvs/${version}`;
  const otherProcessors = PROCESSORS.filter((other) => other !== processor).map(
    (other) => `program/netlink-${other}.node`,
  );
  // The licences are told in /usr/share/doc.
  const left = [...otherProcessors, 'LICENSE', 'licences.txt'];
  await cp(build, await at(program), {
    recursive: true,
    filter: (path) => !left.includes(relative(build, path)),
  });
  await cp(node.program, await at(`${program}/node`));
  await symlink('../lib/marathon-ipvs/current/marathon-ipvs', await at('usr/bin/marathon-ipvs'));

  const licences = await readFile(join(build, 'licences.txt'), 'utf8');
  const doc = 'usr/share/doc/marathon-ipvs';
  const files: Readonly<Record<string, string | Buffer>> = {
    'etc/marathon-ipvs/config.yaml': await text('deploy/debian/config.yaml'),
    'usr/lib/systemd/system/marathon-ipvs.service': unitFile(
      await text('deploy/systemd/marathon-ipvs.service'),
    ),
    'usr/lib/modules-load.d/marathon-ipvs.conf': inPackage(await text('deploy/systemd/modules-load.conf')),
    'usr/lib/sysctl.d/90-marathon-ipvs.conf': inPackage(await text('deploy/systemd/sysctl.conf')),
    'usr/share/man/man8/marathon-ipvs.8.gz': compressed(await text('docs/marathon-ipvs.8')),
    'usr/share/lintian/overrides/marathon-ipvs': await text('deploy/debian/lintian-overrides'),
    [`${doc}/copyright`]: copyright(licences, await readFile(node.licence, 'utf8')),
    [`${doc}/changelog.gz`]: compressed(await text('CHANGELOG.md')),
    [`${doc}/changelog.Debian.gz`]: compressed(changelog(version, madeAt)),
    ...(await completions(build)),
  };
  for (const [path, content] of Object.entries(files)) await writeFile(await at(path), content);
}

/** The first line of those files says where they are put by hand. */
function inPackage(text: string): string {
  return text.replaceAll('# /etc/', '# /usr/lib/');
}

/** Made by the program itself, on the Node that runs this. */
async function completions(build: string): Promise<Record<string, string>> {
  const made = Object.entries(SHELLS).map(async ([shell, path]) => {
    const { stdout } = await run(process.execPath, [
      join(build, 'program/marathon-ipvs.mjs'),
      'completion',
      shell,
    ]);
    return [path, stdout] as const;
  });
  return Object.fromEntries(await Promise.all(made));
}

/** Without name and date, so that the same text gives the same bytes. */
function compressed(text: string): Buffer {
  return gzipSync(text, { level: constants.Z_BEST_COMPRESSION });
}

async function folders(tree: string): Promise<(path: string) => Promise<string>> {
  return async (path) => {
    const full = join(tree, path);
    await mkdir(dirname(full), { recursive: true });
    return full;
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
    const script = await readFile(join(ROOT, 'deploy/debian/maintainer-scripts', name), 'utf8');
    await writeFile(join(control, name), script.replaceAll('@PROGRAM_VERSION@', version));
  }
}

async function pathsBelow(tree: string): Promise<string[]> {
  return (await readdir(tree, { recursive: true })).sort();
}

/** Gives everything the same date, and rights that do not depend on who makes it. */
async function dated(tree: string, madeAt: number): Promise<void> {
  for (const path of ['', ...(await pathsBelow(tree))]) {
    const full = join(tree, path);
    const info = await stat(full).catch(() => null);
    if (info?.isDirectory()) await chmod(full, 0o755);
    else if (info !== null) await chmod(full, isProgram(path) ? 0o755 : 0o644);
    await lutimes(full, madeAt, madeAt);
  }
}

function isProgram(path: string): boolean {
  return /^usr\/lib\/marathon-ipvs\/[^/]+\/(?:marathon-ipvs|node)$|^DEBIAN\/(?:pre|post)(?:inst|rm)$/.test(
    path,
  );
}

/** When the commit was made that is packaged, in seconds since 1970; what `SOURCE_DATE_EPOCH` says goes before. */
export async function commitTime(): Promise<number> {
  const said = process.env['SOURCE_DATE_EPOCH'];
  return Number(said ?? (await run('git', ['-C', ROOT, 'log', '-1', '--format=%ct'])).stdout);
}

/** Makes the packages for all processors, of a build made anew; gives their paths. The folder is made where it is missing. */
export async function makePackages(out: string, build: string): Promise<readonly string[]> {
  await mkdir(out, { recursive: true });
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const madeAt = await commitTime();
  const made: string[] = [];
  for (const processor of PROCESSORS)
    made.push(await makePackage({ build, version, processor, out, madeAt }));
  return made;
}

if (import.meta.main) {
  const build = join(ROOT, 'dist');
  await buildInto(build);
  for (const file of await makePackages(join(ROOT, 'dist-packages'), build))
    process.stdout.write(`${file}\n`);
}
