import { readFileSync, statSync } from 'node:fs';
import type { Repository } from './site.ts';

export const ROOT = new URL('../../', import.meta.url);

/** This checkout. */
export const repository: Repository = {
  kindOf(path) {
    const found = statSync(new URL(path, ROOT), { throwIfNoEntry: false });
    if (found === undefined) return 'nothing';
    return found.isDirectory() ? 'folder' : 'file';
  },
  textOf: (path) => readFileSync(new URL(path, ROOT), 'utf8'),
};
