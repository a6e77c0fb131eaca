/**
 * Adds to the lock files the platform packages that a dependency names as optional and that the registry in use
 * does not carry (those for other systems). npm leaves them out there, and `npm ci` then refuses it
 * everywhere. Run it as `npm run lock` after every `npm install`.
 */

import { readFileSync, writeFileSync } from 'node:fs';

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Packages = Record<string, Locked>;

const SYSTEMS = new Set(['android', 'darwin', 'freebsd', 'openharmony', 'win32', 'linux']);

for (const path of ['package-lock.json', 'docs/site/package-lock.json'])
  complete(new URL(`../../${path}`, import.meta.url));

function complete(file: URL): void {
  const lock: { packages: Packages } = JSON.parse(readFileSync(file, 'utf8'));
  for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (path === '' || isLocked(lock.packages, path, name)) continue;
      const entry = { version, ...platformOf(name), ...(dev === true && { dev }), optional: true };
      lock.packages[`node_modules/${name}`] = entry;
      process.stdout.write(`added ${name} ${version}\n`);
    }
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}

/** Whether npm would find the package from there, in a node_modules folder above. */
function isLocked(packages: Packages, path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
  }
}

/** Such packages are called after their platform: `@biomejs/cli-linux-x64-musl`. npm installs none that does not fit. */
function platformOf(name: string) {
  const words = name.split('/').at(-1)?.split('-') ?? [];
  const at = words.findIndex((word) => SYSTEMS.has(word));
  const os = words[at];
  const cpu = words[at + 1];
  if (os === undefined || cpu === undefined)
    throw new Error(`${name}: its name does not say for which platform it is`);
  const libc = os === 'linux' ? { libc: [name.includes('musl') ? 'musl' : 'glibc'] } : {};
  return { cpu: [cpu], os: [os], ...libc };
}
