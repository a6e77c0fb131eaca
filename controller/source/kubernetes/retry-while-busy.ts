import { withJitter } from '../../backoff.ts';
import { ApiFailure } from '../../kubernetes/api-failure.ts';
import type { Clock } from '../../ports.ts';

const TRIES = 6;
const PAUSE_MS = 1_000;

/**
 * Retries a read that the server postpones (429, 503): it does so for about a second after a CRD is created ("storage
 * is (re)initializing"), and when it is busy. Any other failure is final.
 */
export async function retryWhileBusy<T>(
  read: () => Promise<T>,
  clock: Clock,
  random: () => number,
  signal: AbortSignal,
): Promise<T> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await read();
    } catch (error) {
      const putOff = error instanceof ApiFailure && (error.status === 429 || error.status === 503);
      if (!putOff || left === 0 || signal.aborted) throw error;
      await clock.sleep(withJitter(error.retryAfterMs ?? PAUSE_MS, random), signal);
    }
  }
}
