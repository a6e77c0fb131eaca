/**
 * The files that the page consists of: TypeScript modules whose types are stripped, libraries as they are, a style
 * sheet and an icon. Nothing is built beforehand.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

export interface Assets {
  /** By their path below `base`: `page/main.ts`. */
  readonly files: ReadonlyMap<string, Asset>;
  /** Where they are served; it changes with their content, so they may be kept for ever. */
  readonly base: string;
}

/** Relative imports between modules lead to the same places in the browser: it sees this folder's structure. */
const CONTROLLER = new URL('../../', import.meta.url);
const PAGE = 'page/';

/** Pure modules of the controller that the page uses too: what the form shows is computed by what is applied. */
const SHARED = [
  'address.ts',
  'desired/names.ts',
  'desired/vip-label.ts',
  'label-keys.ts',
  'status/progress.ts',
  'status/words.ts',
  'setting-fields.ts',
  'setting-rows.ts',
  'setting-values.ts',
  'settings.ts',
  'visible.ts',
] as const;

/** Bare names in imports, and the modules that they mean. Each is one file, with dependencies among these only. */
const LIBRARIES: ReadonlyMap<string, string> = new Map([
  ['preact', 'preact/dist/preact.mjs'],
  ['preact/hooks', 'preact/hooks/dist/hooks.mjs'],
  ['htm', 'htm/dist/htm.mjs'],
  ['ipaddr.js', 'ipaddr.js/lib/ipaddr.js'],
]);

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
const PICTURE = 'image/svg+xml; charset=utf-8';
const compress = promisify(gzip);

/** Reads and prepares all of them. Rejects where one is missing: then the installation is broken. */
export async function loadAssets(): Promise<Assets> {
  const own = (await readdir(new URL(PAGE, CONTROLLER), { recursive: true }))
    .filter((path) => /\.(?:ts|css|svg)$/.test(path))
    .map((path) => PAGE + path);
  const files = new Map(
    await Promise.all([
      ...[...own, ...SHARED].map(async (path) => [path, await ownAsset(path)] as const),
      ...[...LIBRARIES].map(async ([name, file]) => [libraryPath(name), await libraryAsset(file)] as const),
    ]),
  );
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) hash.update(`${path}\n`).update(files.get(path)?.plain ?? '');
  return { files, base: `/assets/${hash.digest('base64url').slice(0, 16)}/` };
}

/** The import map's `imports`: bare names to the paths at which the libraries are served. */
export function importsOf(base: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...LIBRARIES.keys()].map((name) => [name, base + libraryPath(name)]));
}

function libraryPath(name: string): string {
  return `lib/${name}.js`;
}

async function ownAsset(path: string): Promise<Asset> {
  const text = await readFile(new URL(path, CONTROLLER), 'utf8');
  if (path.endsWith('.ts')) return await asset(SCRIPT, stripTypeScriptTypes(text));
  return await asset(path.endsWith('.css') ? STYLE : PICTURE, text);
}

async function libraryAsset(file: string): Promise<Asset> {
  const [, name = '', rest = ''] = /^([^/]+)\/(.*)$/.exec(file) ?? [];
  // Its folder is found by its main module: what else it has may be closed to `require` by `exports`.
  const main = createRequire(import.meta.url).resolve(name);
  const root = main.slice(0, main.lastIndexOf(`/node_modules/${name}/`));
  const text = await readFile(`${root}/node_modules/${name}/${rest}`, 'utf8');
  const script = text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n');
  return await asset(SCRIPT, name === 'ipaddr.js' ? asModule(script) : script);
}

/** A CommonJS file that needs no other one, for browsers. */
function asModule(script: string): string {
  return `const module = { exports: {} };\n${script}\nexport default module.exports;\n`;
}

async function asset(type: string, text: string): Promise<Asset> {
  const plain = Buffer.from(text);
  return { type, plain, gzipped: await compress(plain) };
}
