import { readFile } from 'node:fs/promises';
import { PAGE_FILES, type PageFiles } from './file-names.ts';

// Not when someone asks: by then an upgrade may have replaced them.
const files = readFiles();
// Who asks is told.
files.catch(() => undefined);

/** The page's files from where the build puts them: in `page/` beside the module that this becomes a part of. */
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
