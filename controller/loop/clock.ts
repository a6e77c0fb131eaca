import type { Clock } from '../ports.ts';

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Not by timers/promises: an abort makes two errors with their stacks there, and the loop is woken for every change.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, signal?.aborted ? 0 : ms);
      signal?.addEventListener('abort', end);
    }),
};
