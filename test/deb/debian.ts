/**
 * A Debian in a folder, as debootstrap makes it, for this machine's processor or emulated, and packages of this program of any
 * version to install there.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildInto } from '../../deploy/build/build.ts';
import { ARCHITECTURES } from '../../deploy/debian/control.ts';
import type { Processor } from '../../deploy/debian/node-program.ts';
import { makePackage } from '../../deploy/debian/package.ts';
import { command, must, type Outcome } from '../support/shell.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What comes before a command that is to run with programs for arm64. */
export const EMULATE = ['sh', join(ROOT, 'test/arm64/emulate.sh')] as const;

interface Kind {
  /** What comes before a command that is to run in there. */
  readonly around: readonly string[];
  /** Besides what each Debian has. */
  readonly included: string;
  readonly archive: string;
}

const KINDS: Readonly<Record<Processor, Kind>> = {
  // What the package recommends, and an init.
  x64: {
    around: ['unshare', '--mount', '--net'],
    included: 'ca-certificates,systemd,systemd-sysv,kmod,procps,iproute2,ipvsadm',
    archive: join(ROOT, 'node_modules/.cache/debian-bookworm.tar'),
  },
  // What it depends on: emulated, each package takes seconds.
  arm64: {
    around: EMULATE,
    included: 'adduser',
    archive: join(ROOT, 'node_modules/.cache/debian-bookworm-arm64.tar'),
  },
};
const MADE_AT = Date.UTC(2026, 0, 1) / 1_000;

/** Why these tests cannot run here; null where they can. */
export async function missing(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'they need root';
  const { status } = await command(['sh', '-c', 'command -v debootstrap && command -v dpkg-deb']);
  return status === 0 ? null : 'they need debootstrap and dpkg-deb';
}

/** Why programs for arm64 cannot run here; null where they can. */
export async function emulationMissing(): Promise<string | null> {
  const { status, stderr } = await command([...EMULATE, 'true']);
  return status === 0
    ? null
    : `they need qemu-user-static and Linux 6.7, whose user namespaces have formats of their own: ${stderr.trim()}`;
}

export class Debian {
  readonly #processor: Processor;
  readonly folder: string;
  /** The Debian's own root. */
  readonly root: string;

  private constructor(folder: string, processor: Processor) {
    this.#processor = processor;
    this.folder = folder;
    this.root = join(folder, 'root');
  }

  /** Not below /tmp: the lab has another one. */
  static async create(processor: Processor = 'x64'): Promise<Debian> {
    const debian = new Debian(await mkdtemp('/var/tmp/marathon-ipvs-deb.'), processor);
    await mkdir(debian.root);
    await must(['tar', '-xpf', await debianArchive(processor), '-C', debian.root]);
    return debian;
  }

  /** Runs a line of shell in there, with a network of its own, and without a systemd that runs. */
  async shell(line: string): Promise<Outcome> {
    const inside = `mount --rbind /proc "$0/proc" && exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "$1"`;
    return await command([...KINDS[this.#processor].around, 'sh', '-c', inside, this.root, line]);
  }

  /** Runs this machine's `rpm` on what is in there, as the Debian has none; nothing of the other system answers for dependencies. */
  async rpm(...words: readonly string[]): Promise<Outcome> {
    const inside = 'mount --rbind /proc "$0/proc" && exec rpm --root "$0" --nodeps "$@" 2>&1';
    return await command(['unshare', '--mount', '--net', 'sh', '-c', inside, this.root, ...words]);
  }

  /** Writes a file of the Debian. */
  async write(path: string, text: string): Promise<void> {
    await writeFile(join(this.root, path), text);
  }

  /**
   * Makes the package of that version, with a program that says so and begins with the code `first`, and gives its name below
   * `/`. `make` makes it; a Debian package unless told otherwise.
   */
  async packageOf(version: string, first = '', make = makePackage): Promise<string> {
    const build = join(this.folder, `build-${version}`);
    await buildInto(build);
    const program = join(build, 'program/marathon-ipvs.mjs');
    await writeFile(program, `${first}\n${await readFile(program, 'utf8')}`);
    const own = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version;
    if (version !== own) await changeVersion(dirname(program), own, version);
    const options = { build, version, madeAt: MADE_AT, compression: 'none' } as const;
    const file = await make({ ...options, processor: this.#processor, out: this.folder });
    const name = file.slice(this.folder.length);
    await cp(file, join(this.root, name));
    await rm(build, { recursive: true });
    return name;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

/** Makes a program say that it is of another version, in the one of its modules that says so. */
async function changeVersion(program: string, own: string, version: string): Promise<void> {
  const said = `package_default={version:"${own}"}`;
  for (const name of await readdir(program)) {
    if (!name.endsWith('.mjs')) continue;
    const file = join(program, name);
    const text = await readFile(file, 'utf8');
    if (!text.includes(said)) continue;
    await writeFile(file, text.replace(said, `package_default={version:"${version}"}`));
    return;
  }
  throw new Error(`${program} does not say its version as expected`);
}

const run = promisify(execFile);

/** The archive of a Debian. debootstrap takes minutes, and many more where it is emulated: what it made is kept. */
export async function debianArchive(processor: Processor): Promise<string> {
  const { around, included, archive } = KINDS[processor];
  if (await stat(archive).catch(() => null)) return archive;
  const folder = await mkdtemp('/var/tmp/marathon-ipvs-deb.');
  const made = join(folder, 'made');
  const isEmulated = around === EMULATE;
  const options = ['--variant=minbase', `--include=${included}`, ...(isEmulated ? ['--foreign'] : [])];
  await run('debootstrap', [`--arch=${ARCHITECTURES[processor]}`, ...options, 'bookworm', made], LONG);
  // It makes no devices where it takes this for a container: the first stage has.
  const second =
    'mount --rbind /proc "$0/proc" && exec chroot "$0" env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 /debootstrap/debootstrap --second-stage';
  const [program = '', ...words] = [...around, 'sh', '-c', second, made];
  if (isEmulated) await run(program, words, LONG);
  await mkdir(dirname(archive), { recursive: true });
  await must(['tar', '-cf', `${archive}.new`, '-C', made, '--exclude=./var/cache/apt/archives/*.deb', '.']);
  await rename(`${archive}.new`, archive);
  await rm(folder, { recursive: true });
  return archive;
}

const LONG = { maxBuffer: 2 ** 26 };
