/** What the packages of all distributions have in common: the same files, laid out where they will lie. */

import { execFile } from 'node:child_process';
import { chmod, cp, lutimes, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { constants, gzipSync } from 'node:zlib';
import { nodeProgram, PROCESSORS, type Processor } from '../debian/node-program.ts';
import { unitFile } from './unit.ts';

const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

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

/** What differs from one distribution to another. */
export interface Distribution {
  /** Where the completions of each shell are looked for. */
  readonly completions: Readonly<Record<'bash' | 'zsh' | 'fish', string>>;
  /** Files besides. */
  readonly files: Readonly<Record<string, string | Buffer>>;
}

/** Puts the files below `tree`, with rights that do not depend on who makes it. Rejects where a part is missing. */
export async function layOut(
  tree: string,
  { build, version, processor }: PackageOptions,
  { completions, files }: Distribution,
): Promise<void> {
  const at = async (path: string) => {
    const full = join(tree, path);
    await mkdir(dirname(full), { recursive: true });
    return full;
  };
  const program = `usr/lib/marathon-ipvs/${version}`;
  const otherProcessors = PROCESSORS.filter((other) => other !== processor).map(
    (other) => `program/netlink-${other}.node`,
  );
  // Licences are where the distribution has them.
  const left = [...otherProcessors, 'LICENSE', 'licences.txt'];
  await cp(build, await at(program), {
    recursive: true,
    filter: (path) => !left.includes(relative(build, path)),
  });
  await cp((await nodeProgram(ROOT, processor)).program, await at(`${program}/node`));
  await symlink('../lib/marathon-ipvs/current/marathon-ipvs', await at('usr/bin/marathon-ipvs'));

  const all: Readonly<Record<string, string | Buffer>> = {
    'etc/marathon-ipvs/config.yaml': await textOf('deploy/debian/config.yaml'),
    'usr/lib/systemd/system/marathon-ipvs.service': unitFile(
      await textOf('deploy/systemd/marathon-ipvs.service'),
    ),
    'usr/lib/modules-load.d/marathon-ipvs.conf': inPackage(await textOf('deploy/systemd/modules-load.conf')),
    'usr/lib/sysctl.d/90-marathon-ipvs.conf': inPackage(await textOf('deploy/systemd/sysctl.conf')),
    'usr/share/man/man8/marathon-ipvs.8.gz': compressed(await textOf('docs/marathon-ipvs.8')),
    ...(await completionsOf(build, completions)),
    ...files,
  };
  for (const [path, content] of Object.entries(all)) await writeFile(await at(path), content);
}

/** A file of this repository. */
export async function textOf(path: string): Promise<string> {
  return await readFile(join(ROOT, path), 'utf8');
}

/** A script that is run when a package is installed or removed, with the functions that those of all distributions share. */
export async function script(path: string, version: string): Promise<string> {
  return (await textOf(path))
    .replace('# @SWITCH@\n', await textOf('deploy/packaging/switch.sh'))
    .replaceAll('@PROGRAM_VERSION@', version);
}

/** The first line of those files says where they are put by hand. */
function inPackage(text: string): string {
  return text.replaceAll('# /etc/', '# /usr/lib/');
}

/** Made by the program itself, on the Node that runs this. */
async function completionsOf(
  build: string,
  paths: Distribution['completions'],
): Promise<Record<string, string>> {
  const made = Object.entries(paths).map(async ([shell, path]) => {
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
export function compressed(text: string): Buffer {
  return gzipSync(text, { level: constants.Z_BEST_COMPRESSION });
}

export async function pathsBelow(tree: string): Promise<string[]> {
  return (await readdir(tree, { recursive: true })).sort();
}

/** Gives everything below `tree` the same date, and rights that do not depend on who makes it. */
export async function dated(tree: string, madeAt: number): Promise<void> {
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
