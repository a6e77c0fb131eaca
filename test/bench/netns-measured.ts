/** What netns-bench finds, and how it counts processor time. */

import { readdirSync, readFileSync } from 'node:fs';

export interface Measured {
  /** From the start until each namespace has all VIPs. */
  readonly startMs: number;
  /** Milliseconds from each change to the host's table. */
  readonly host: readonly number[];
  /** The same, to the tables of all. */
  readonly all: readonly number[];
  /** While changes are made, as a share of one processor. */
  readonly use: { readonly controller: number; readonly helpers: number };
}

/** What /proc counts processor time in. */
const TICKS_PER_SECOND = 100;

/** User and system seconds so far of all processes whose command line has this word. */
export function cpuOf(word: string): number {
  let seconds = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)) continue;
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      seconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      // It has ended meanwhile.
    }
  }
  return seconds;
}
