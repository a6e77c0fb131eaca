import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a package says of itself. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** A package of npm: its folder below the root, as package-lock.json names it. */
export interface Package extends Manifest {
  readonly folder: string;
}

/** Compiled into the part of netlink that is no JavaScript. */
const COMPILED_IN = ['node_modules/netlink/package.json', 'node_modules/node-addon-api/package.json'];

/**
 * The packages from which these files come, by their folders. Paths are below `root`; our own files have none. Rejects where a
 * package does not say its licence.
 */
export async function packagesOf(root: string, paths: readonly string[]): Promise<readonly Package[]> {
  const folders = new Set([...paths, ...COMPILED_IN].flatMap((path) => packageFolder(path) ?? []));
  return await Promise.all(
    [...folders].sort().map(async (folder) => ({ ...(await manifestOf(join(root, folder))), folder })),
  );
}

/**
 * The packages that are installed with the one in `folder`, by the package-lock.json of `root`. Rejects as `packagesOf` does.
 */
export async function dependenciesOf(root: string, folder: string): Promise<readonly Package[]> {
  const lock: Lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const found = new Set<string>();
  const open = [folder];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const name of Object.keys(lock.packages[from]?.dependencies ?? {})) {
      const own = `${from}/node_modules/${name}`;
      const place = Object.hasOwn(lock.packages, own) ? own : `node_modules/${name}`;
      if (found.has(place)) continue;
      found.add(place);
      open.push(place);
    }
  }
  return await Promise.all(
    [...found].sort().map(async (place) => ({ ...(await manifestOf(join(root, place))), folder: place })),
  );
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>>;
}

/** The licences of these packages as text: each with its name, version and the notice that it brings. */
export async function licencesOf(root: string, packages: readonly Package[]): Promise<string> {
  const notices = await Promise.all(packages.map(async (one) => await noticeOf(root, one)));
  return `marathon-ipvs is licensed as LICENSE says. It was made with these packages:\n\n${notices.join('\n')}`;
}

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for a file of no package. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

/** Rejects where it does not say its licence. */
export async function manifestOf(folder: string): Promise<Manifest> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  if (license === undefined) throw new Error(`${folder}: package.json says no licence`);
  return { name, version, license };
}

async function noticeOf(root: string, { folder, name, version, license }: Package): Promise<string> {
  const at = join(root, folder);
  const files = (await readdir(at)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map(async (file) => (await readFile(join(at, file), 'utf8')).trim()));
  return `${'-'.repeat(72)}\n${name} ${version}: ${license}\n\n${texts.join('\n\n')}\n`;
}
