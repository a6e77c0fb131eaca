import type { Stats } from 'node:fs';

const OTHERS_WRITE = 0o022;

/**
 * Returns why a file or directory cannot be trusted, because other users may change it; null if it can. Whoever writes there
 * decides which namespaces get VIPs.
 */
export function othersMayWrite({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): string | null {
  if (uid !== 0 && uid !== process.geteuid?.()) return `it belongs to user ${uid}, not to root`;
  return (mode & OTHERS_WRITE) === 0 ? null : 'other users may write to it: use `chmod go-w`';
}
