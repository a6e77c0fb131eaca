const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 30_000;

/**
 * The delay after this many failures in a row: it doubles from `firstMs` to `lastMs` (default: 100 ms to 30 s). Half of it
 * is jitter, since all hosts fail together. `random` returns numbers in [0, 1).
 */
export function retryDelay(
  failures: number,
  random: () => number,
  { firstMs = FIRST_RETRY_MS, lastMs = LAST_RETRY_MS } = {},
): number {
  return Math.min(lastMs, firstMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + 0.5 * random());
}

/** Any thrown value as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
