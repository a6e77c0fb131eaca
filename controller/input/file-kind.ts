import type { Stats } from 'node:fs';

/** What is in place of a regular file, for a message: `a named pipe`. */
export function fileKind(status: Stats): string {
  if (status.isFIFO()) return 'a named pipe';
  if (status.isSocket()) return 'a socket';
  return status.isDirectory() ? 'a directory' : 'a device';
}
