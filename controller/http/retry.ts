const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 30_000;

/**
 * How long to wait after so many failures in a row: doubles from `firstMs` to `lastMs` (100 ms to 30 s unless told
 * otherwise); half of it is jitter, since all hosts fail together. `random` gives numbers in [0, 1).
 */
export function retryDelay(
  failures: number,
  random: () => number,
  { firstMs = FIRST_RETRY_MS, lastMs = LAST_RETRY_MS } = {},
): number {
  return Math.min(lastMs, firstMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + 0.5 * random());
}

/** Whatever was thrown, as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
