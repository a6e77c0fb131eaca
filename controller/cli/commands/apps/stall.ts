import type { Clock } from '../../../ports.ts';

/** Tells when what is followed has not moved for too long. */
export interface Stall {
  /** Takes how far it is, in words. Returns whether these have been the same for the whole deadline. */
  seen(words: string): boolean;
}

/** Starts counting. `deadlineSeconds` 0: it is never too long. */
export function watchForStall(deadlineSeconds: number, clock: Pick<Clock, 'monotonic'>): Stall {
  let last: string | null = null;
  let since = clock.monotonic();
  return {
    seen(words) {
      if (words !== last) since = clock.monotonic();
      last = words;
      return deadlineSeconds > 0 && clock.monotonic() - since >= deadlineSeconds * 1_000;
    },
  };
}
