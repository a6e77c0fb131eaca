import type { Clock } from '../ports.ts';

/**
 * Runs `work` and aborts it when it takes longer than `ms`, or when `signal` aborts. `work` must reject with
 * the reason of the signal that it is given.
 */
export async function within<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  // Not `AbortSignal.any`, whose weak references keep the signals of every answer until the old space is collected.
  const stop = () => limit.abort(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop);
  const done = new AbortController();
  void clock.sleep(ms, done.signal).then(() => {
    if (!done.signal.aborted) limit.abort(new Error(`no complete answer in ${ms / 1000} s`));
  });
  try {
    return await work(limit.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    // With a reason: without one each answer makes an error with its stack, which nobody reads.
    done.abort(null);
  }
}
