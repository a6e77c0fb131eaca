import type { Clock } from '../../../ports.ts';

/** Detects that progress has stalled. */
export interface Stall {
  /** Takes the current progress as text. Returns whether it has been the same for the whole deadline. */
  isStalled(progress: string): boolean;
}

/** Starts the deadline. `deadlineSeconds` 0 means no deadline. */
export function watchForStall(deadlineSeconds: number, clock: Pick<Clock, 'monotonic'>): Stall {
  let last: string | null = null;
  let since = clock.monotonic();
  return {
    isStalled(progress) {
      if (progress !== last) since = clock.monotonic();
      last = progress;
      return deadlineSeconds > 0 && clock.monotonic() - since >= deadlineSeconds * 1_000;
    },
  };
}
