import { setTimeout as timeout } from 'node:timers/promises';
import type { Clock } from '../ports.ts';

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    // An abort ends the wait early; that is no error for whoever waits.
    await timeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};
