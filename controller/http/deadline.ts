import type { Clock } from '../ports.ts';

/**
 * Runs `work` and aborts it if it takes longer than `ms`, or if `signal` aborts. `work` must reject with the reason of the
 * signal that it gets.
 */
export async function within<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  // Not `AbortSignal.any`: it would keep the signals of every answer in memory until a full garbage collection.
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
    // Without an explicit reason every abort would create an error with its stack.
    done.abort(null);
  }
}
