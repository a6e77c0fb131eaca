import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a package says of itself. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** Compiled into the part of netlink that is no JavaScript. */
const COMPILED_IN = ['node_modules/netlink/package.json', 'node_modules/node-addon-api/package.json'];

/**
 * The licences of the packages from which these files come, as text: each with its name, version and the notice that it
 * brings. Paths are below `root`; our own files have none. Rejects where a package does not say its licence.
 */
export async function licencesOf(root: string, paths: readonly string[]): Promise<string> {
  const folders = new Set([...paths, ...COMPILED_IN].flatMap((path) => packageFolder(path) ?? []));
  const notices = await Promise.all(
    [...folders].sort().map(async (folder) => await noticeOf(join(root, folder))),
  );
  return `marathon-ipvs is licensed as LICENSE says. It was made with these packages:\n\n${notices.join('\n')}`;
}

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for a file of no package. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

async function noticeOf(folder: string): Promise<string> {
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = manifest;
  if (license === undefined) throw new Error(`${folder}: package.json says no licence`);
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
  const texts = await Promise.all(
    files.map(async (file) => (await readFile(join(folder, file), 'utf8')).trim()),
  );
  return `${'-'.repeat(72)}\n${name} ${version}: ${license}\n\n${texts.join('\n\n')}\n`;
}
