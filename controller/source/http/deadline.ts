import type { Clock } from '../../ports.ts';

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
  const late = new AbortController();
  const done = new AbortController();
  void clock.sleep(ms, done.signal).then(() => {
    if (!done.signal.aborted) late.abort(new Error(`no complete answer in ${ms / 1000} s`));
  });
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } finally {
    // With a reason: without one each answer makes an error with its stack, which nobody reads.
    done.abort(null);
  }
}
