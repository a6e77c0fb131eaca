import type { Clock } from '../ports.ts';

/**
 * The limit is waited for in this many slices: a pause of the whole process then counts as one slice at most, so that an answer
 * which came during it is still taken.
 */
const SLICES = 30;

/**
 * Returns the result of an operation on the file system. Rejects if that takes longer than `limitMs`, since a file system that
 * hangs must not stop what does not need it. The operation is not cancelled, and its result is then dropped.
 */
export async function withinTime<T>(
  work: Promise<T>,
  limitMs: number,
  clock: Pick<Clock, 'sleep'>,
): Promise<T> {
  const settled = new AbortController();
  const limit = waitInSlices(limitMs, clock, settled.signal).then((): never | undefined => {
    if (settled.signal.aborted) return undefined;
    throw new Error(`the file system has not answered for ${limitMs / 1_000} s`);
  });
  // The promise that loses the race may reject later, which must not end the process.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, limit.then(() => work)]);
  } finally {
    settled.abort(null);
    limit.catch(() => undefined);
  }
}

async function waitInSlices(
  limitMs: number,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<void> {
  for (let i = 0; i < SLICES && !signal.aborted; i += 1) await clock.sleep(limitMs / SLICES, signal);
}
