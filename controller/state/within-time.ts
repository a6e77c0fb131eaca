import type { Clock } from '../ports.ts';

/** It has been asked for so many turns of the event loop then: one that answered while this process was paused is no such one. */
const LOOKS = 30;

/**
 * What the file system answers. Rejects where that takes longer than `limitMs`: a file system that hangs must not stop what
 * does not need it. What was begun goes on, and nobody learns how it ends.
 */
export async function withinTime<T>(
  work: Promise<T>,
  limitMs: number,
  clock: Pick<Clock, 'sleep'>,
): Promise<T> {
  const enough = new AbortController();
  const limit = waitLong(limitMs, clock, enough.signal).then((): never | undefined => {
    if (enough.signal.aborted) return undefined;
    throw new Error(`the file system has not answered for ${limitMs / 1_000} s`);
  });
  // Whichever comes second is of no interest; a rejection of it must not end the process.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, limit.then(() => work)]);
  } finally {
    enough.abort(null);
    limit.catch(() => undefined);
  }
}

async function waitLong(limitMs: number, clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<void> {
  for (let look = 0; look < LOOKS && !signal.aborted; look += 1) await clock.sleep(limitMs / LOOKS, signal);
}
