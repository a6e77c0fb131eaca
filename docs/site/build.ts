/**
 * The documentation as a site with search: `npm run site` makes it in `site/` with VitePress, for any server of files;
 * `npm run site -- --preview` serves it on this machine then. Ends with 1 when a link leads nowhere.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, repository } from './repository.ts';
import { readSite, type Site } from './site.ts';

const HERE = new URL('./', import.meta.url);

const site = readSite(repository);
for (const problem of site.problems) process.stderr.write(`${problem}\n`);
if (site.problems.length > 0) process.exit(1);

gather(site);
install();
vitepress('build');
process.stdout.write(`${site.pages.size} pages in ${fileURLToPath(new URL('site/', ROOT))}\n`);
if (process.argv.includes('--preview')) vitepress('preview');

/** Puts the pages, which lie all over the repository, into one folder for VitePress. */
function gather({ pages, copied }: Site): void {
  const folder = new URL('pages/', HERE);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, { path }] of pages) {
    // HTML is shown as text, and so would be the markers of what programs fill in.
    const text = repository.textOf(path).replace(/^<!-- \/?\w+ -->$/gm, '');
    writeFileSync(new URL(name, folder), text);
  }
  for (const path of copied) copy(path, new URL(`public/files/${path}`, folder));
  copy('controller/page/icon.svg', new URL('public/icon.svg', folder));
}

function copy(path: string, to: URL): void {
  mkdirSync(dirname(fileURLToPath(to)), { recursive: true });
  cpSync(new URL(path, ROOT), to);
}

/** VitePress has a lock file of its own: whoever only runs the program never installs it. */
function install(): void {
  const lock = new URL('package-lock.json', HERE);
  // npm writes this file at the end of each installation.
  const installed = new URL('node_modules/.package-lock.json', HERE);
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  utimesSync(installed, new Date(), new Date());
}

function vitepress(task: 'build' | 'preview'): void {
  const program = fileURLToPath(new URL('node_modules/vitepress/bin/vitepress.js', HERE));
  run(process.execPath, [program, task]);
}

function run(program: string, args: readonly string[]): void {
  // VitePress would take the man page, `marathon-ipvs.8`, for a page of its own.
  const env = { ...process.env, VITE_EXTRA_EXTENSIONS: '8' };
  const { status, error } = spawnSync(program, args, { cwd: HERE, stdio: 'inherit', env });
  if (status === 0) return;
  process.stderr.write(
    `${program} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}\n`,
  );
  process.exit(1);
}
