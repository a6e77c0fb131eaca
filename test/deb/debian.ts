/** A Debian in a folder, as debootstrap makes it, and packages of this program of any version to install there. */

import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildInto } from '../../deploy/build/build.ts';
import { makePackage } from '../../deploy/debian/package.ts';
import { command, must, type Outcome } from '../support/shell.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ARCHIVE = join(ROOT, 'node_modules/.cache/debian-bookworm.tar');
/** Besides what each Debian has: what the package recommends, and an init. */
const INCLUDED = 'ca-certificates,systemd,systemd-sysv,kmod,procps,iproute2,ipvsadm';
const MADE_AT = Date.UTC(2026, 0, 1) / 1_000;

/** Why these tests cannot run here; null where they can. */
export async function missing(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'they need root';
  const { status } = await command(['sh', '-c', 'command -v debootstrap && command -v dpkg-deb']);
  return status === 0 ? null : 'they need debootstrap and dpkg-deb';
}

export class Debian {
  readonly folder: string;
  /** The Debian's own root. */
  readonly root: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.root = join(folder, 'root');
  }

  /** Not below /tmp: the lab has another one. */
  static async create(): Promise<Debian> {
    const debian = new Debian(await mkdtemp('/var/tmp/marathon-ipvs-deb.'));
    await mkdir(debian.root);
    await makeArchive(debian.folder);
    await must(['tar', '-xpf', ARCHIVE, '-C', debian.root]);
    return debian;
  }

  /** Runs a line of shell in there, with a network of its own, and without a systemd that runs. */
  async shell(line: string): Promise<Outcome> {
    const inside = `mount --bind /proc "$0/proc" && exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "$1"`;
    return await command(['unshare', '--mount', '--net', 'sh', '-c', inside, this.root, line]);
  }

  /** Writes a file of the Debian. */
  async write(path: string, text: string): Promise<void> {
    await writeFile(join(this.root, path), text);
  }

  /**
   * Makes the package of that version, with a program that says so and begins with the code `first`, and gives its name below
   * `/`.
   */
  async packageOf(version: string, first = ''): Promise<string> {
    const build = join(this.folder, `build-${version}`);
    await buildInto(build);
    const program = join(build, 'program/marathon-ipvs.mjs');
    await writeFile(program, `${first}\n${await readFile(program, 'utf8')}`);
    const own = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version;
    if (version !== own) await changeVersion(dirname(program), own, version);
    const options = { build, version, processor: 'x64', madeAt: MADE_AT, compression: 'none' } as const;
    const file = await makePackage({ ...options, out: this.folder });
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

/** debootstrap takes minutes: what it made is kept. */
async function makeArchive(folder: string): Promise<void> {
  if (await stat(ARCHIVE).catch(() => null)) return;
  const made = join(folder, 'made');
  await must(['sh', '-c', `debootstrap --variant=minbase --include=${INCLUDED} bookworm ${made} >&2`]);
  await mkdir(join(ARCHIVE, '..'), { recursive: true });
  await must(['tar', '-cf', `${ARCHIVE}.new`, '-C', made, '--exclude=./var/cache/apt/archives/*.deb', '.']);
  await rename(`${ARCHIVE}.new`, ARCHIVE);
  await rm(made, { recursive: true });
}
