import type { Clock } from '../ports.ts';

/** Less than the time between SIGTERM and SIGKILL in Docker (10 s), Kubernetes (30 s) and our systemd unit (15 s). */
const ENDING_MS = 8_000;

/**
 * Waits for `work`, but at most 8 s after `stop` has aborted: a write to a file system that hangs may never end. Resolves
 * with whether `work` has ended; rejects if it rejects.
 */
export async function endsInTime(
  work: Promise<unknown>,
  stop: AbortSignal,
  clock: Pick<Clock, 'sleep'>,
): Promise<boolean> {
  const over = new AbortController();
  const deadline = aborted(stop).then(() => clock.sleep(ENDING_MS, over.signal));
  try {
    return await Promise.race([work.then(() => true), deadline.then(() => false)]);
  } finally {
    over.abort(null);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
