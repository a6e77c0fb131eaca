import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';
import type { PageFiles } from './file-names.ts';

const SOURCE = new URL('../../page/', import.meta.url);

const OPTIONS = {
  entryPoints: [
    { in: fileURLToPath(new URL('main.tsx', SOURCE)), out: 'page' },
    { in: fileURLToPath(new URL('style.css', SOURCE)), out: 'page' },
  ],
  bundle: true,
  format: 'esm',
  target: 'es2024',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  // The licences file of the build has the notices of everything bundled.
  legalComments: 'none',
  outdir: '/',
  write: false,
  metafile: true,
  logLevel: 'silent',
} as const satisfies BuildOptions;

/** Bundles the page's files from source, for a checkout and for the build. Rejects if the source has an error. */
export async function pageFiles(): Promise<PageFiles> {
  return (await makePage()).files;
}

/** Bundles the page; `inputs` are the paths of all bundled sources, relative to the working directory. */
export async function makePage(): Promise<{ readonly files: PageFiles; readonly inputs: readonly string[] }> {
  // Imported late: a checkout that serves no page starts without esbuild.
  const { build, stop } = await import('esbuild');
  const { outputFiles, metafile } = await build(OPTIONS);
  // esbuild runs as a child process, which would keep running.
  await stop();
  const textOf = (path: string) => outputFiles.find((file) => file.path === path)?.text ?? '';
  const icon = await readFile(new URL('icon.svg', SOURCE), 'utf8');
  return {
    files: { 'page.js': textOf('/page.js'), 'page.css': textOf('/page.css'), 'icon.svg': icon },
    inputs: Object.keys(metafile.inputs),
  };
}
