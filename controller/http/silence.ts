import type { Clock } from '../ports.ts';

/** Resolves once nothing has been heard for `limitMs()` since `lastHeard()`, or when `signal` aborts. */
export async function watchSilence(
  clock: Clock,
  limitMs: () => number,
  lastHeard: () => number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const left = lastHeard() + limitMs() - clock.monotonic();
    if (left <= 0 || signal.aborted) return;
    await clock.sleep(left, signal);
  }
}
