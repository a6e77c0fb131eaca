import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './repository.ts';
import type { Site } from './site.ts';

/** Writes the site into a folder (its URL ends with `/`), in place of whatever was there. */
export function writeSite({ pages, copied }: Site, folder: URL): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, html] of pages) writeFileSync(new URL(name, folder), html);
  for (const path of copied) {
    const file = new URL(`files/${path}`, folder);
    mkdirSync(dirname(fileURLToPath(file)), { recursive: true });
    cpSync(new URL(path, ROOT), file);
  }
  cpSync(new URL('style.css', import.meta.url), new URL('style.css', folder));
  cpSync(new URL('controller/page/icon.svg', ROOT), new URL('icon.svg', folder));
}
