import type { Clock } from '../ports.ts';

/** Less than Kubernetes and Docker give a container between SIGTERM and SIGKILL (10 s), and systemd here (15 s). */
const ENDING_MS = 8_000;

/**
 * Waits for `work`, but no longer than 8 s after `stop` has aborted: what is under way then, such as a write to a file system
 * that hangs, may never end. Resolves with whether `work` did. Rejects as `work` does.
 */
export async function endsInTime(
  work: Promise<unknown>,
  stop: AbortSignal,
  clock: Pick<Clock, 'sleep'>,
): Promise<boolean> {
  const over = new AbortController();
  const enough = aborted(stop).then(() => clock.sleep(ENDING_MS, over.signal));
  try {
    return await Promise.race([work.then(() => true), enough.then(() => false)]);
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
