/**
 * Adds to package-lock.json the platform packages that a dependency names as optional and that the registry in use
 * does not carry (those for other systems). npm leaves them out of the file there, and `npm ci` then refuses it
 * everywhere. Run it as `npm run lock` after every `npm install`.
 */

import { readFileSync, writeFileSync } from 'node:fs';

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const SYSTEMS = new Set(['android', 'darwin', 'freebsd', 'openharmony', 'win32', 'linux']);
const FILE = new URL('../../package-lock.json', import.meta.url);
const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(FILE, 'utf8'));

for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (path === '' || isLocked(path, name)) continue;
    const entry = { version, ...platformOf(name), ...(dev === true && { dev }), optional: true };
    lock.packages[`node_modules/${name}`] = entry;
    process.stdout.write(`added ${name} ${version}\n`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);

/** Whether npm would find the package from there, in a node_modules folder above. */
function isLocked(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true;
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
