import { readFile } from 'node:fs/promises';
import { PAGE_FILES, type PageFiles } from './assets.ts';

/** Reads the page's files from where the build puts them: in `page/` beside the program. This module is a part of that one file. */
export async function pageFiles(): Promise<PageFiles> {
  const texts = await Promise.all(
    PAGE_FILES.map(
      async (name) => [name, await readFile(new URL(`./page/${name}`, import.meta.url), 'utf8')] as const,
    ),
  );
  return Object.fromEntries(texts) as PageFiles;
}
