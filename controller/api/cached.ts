import type { Clock } from '../ports.ts';

/** The largest share of the process's time that `make` may take, however often it is called. */
const SHARE = 0.1;

/**
 * Caches the result of `make` for `minIntervalMs`, or for longer if `make` is slow: it runs for at most a tenth of the
 * time. Calls while it runs share its result. A rejection is not cached.
 */
export function cached<Value>(
  make: () => Promise<Value>,
  minIntervalMs: number,
  clock: Pick<Clock, 'monotonic'>,
): () => Promise<Value> {
  let made: { readonly value: Value; readonly at: number; readonly keepMs: number } | null = null;
  let making: Promise<Value> | null = null;

  async function remake(): Promise<Value> {
    const startedAt = clock.monotonic();
    try {
      const value = await make();
      const at = clock.monotonic();
      made = { value, at, keepMs: Math.max(minIntervalMs, (at - startedAt) / SHARE) };
      return value;
    } finally {
      making = null;
    }
  }

  return () => {
    if (made !== null && clock.monotonic() - made.at < made.keepMs) return Promise.resolve(made.value);
    making ??= remake();
    return making;
  };
}
