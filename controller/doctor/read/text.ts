import { readdir, readFile } from 'node:fs/promises';

/** Returns the file's text; null if it does not exist or cannot be read. */
export async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

/** Returns the names in a directory; none if it does not exist. */
export async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch {
    return [];
  }
}
