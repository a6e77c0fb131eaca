import { readFile } from 'node:fs/promises';
import { PAGE_FILES, type PageFiles } from './file-names.ts';

// Read at start, not on the first request: an upgrade may have replaced them by then.
const files = readFiles();
// The rejection reaches whoever calls `pageFiles`.
files.catch(() => undefined);

/** The page's files as built: the build puts them into `page/`, next to the bundle that contains this module. */
export async function pageFiles(): Promise<PageFiles> {
  return await files;
}

async function readFiles(): Promise<PageFiles> {
  const texts = await Promise.all(
    PAGE_FILES.map(
      async (name) => [name, await readFile(new URL(`./page/${name}`, import.meta.url), 'utf8')] as const,
    ),
  );
  return Object.fromEntries(texts) as PageFiles;
}
