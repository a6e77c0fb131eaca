import type { Stats } from 'node:fs';

const OTHERS_WRITE = 0o022;

/**
 * Why a file or directory may say something else than root or this user wants; null: it may not. Whoever writes there decides
 * which namespaces get VIPs.
 */
export function othersMayWrite({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): string | null {
  if (uid !== 0 && uid !== process.geteuid?.()) return `it belongs to user ${uid}, not to root`;
  return (mode & OTHERS_WRITE) === 0 ? null : 'other users may write there: `chmod go-w` it';
}
