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
  // The notices of what is in it stand in the licences file of the build.
  legalComments: 'none',
  outdir: '/',
  write: false,
  metafile: true,
  logLevel: 'silent',
} as const satisfies BuildOptions;

/** Makes the page's files from their source, as a checkout and the build do. Rejects where that has an error. */
export async function pageFiles(): Promise<PageFiles> {
  return (await makePage()).files;
}

/** The same, and the paths of all that went into the script, below the working directory. */
export async function makePage(): Promise<{ readonly files: PageFiles; readonly inputs: readonly string[] }> {
  // Only where it is needed: a checkout that serves no page starts without it.
  const { build, stop } = await import('esbuild');
  const { outputFiles, metafile } = await build(OPTIONS);
  // Its service is a process of its own, which would stay.
  await stop();
  const textOf = (path: string) => outputFiles.find((file) => file.path === path)?.text ?? '';
  const icon = await readFile(new URL('icon.svg', SOURCE), 'utf8');
  return {
    files: { 'page.js': textOf('/page.js'), 'page.css': textOf('/page.css'), 'icon.svg': icon },
    inputs: Object.keys(metafile.inputs),
  };
}
