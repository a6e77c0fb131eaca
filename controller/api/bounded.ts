import type { Clock } from '../ports.ts';

/** Of the process's time, an answer that is asked for again and again may take this share. */
const SHARE = 0.1;

/**
 * Makes the function that gives what `make` made last, and makes it anew once that is `leastMs` old: however many ask,
 * and however long it takes to make, it costs a tenth of the time at most. Those who ask while it is made get that one.
 * A rejection is not kept.
 */
export function bounded<Value>(
  make: () => Promise<Value>,
  leastMs: number,
  clock: Pick<Clock, 'monotonic'>,
): () => Promise<Value> {
  let made: { readonly value: Value; readonly at: number; readonly keepMs: number } | null = null;
  let making: Promise<Value> | null = null;

  async function makeAnew(): Promise<Value> {
    const startedAt = clock.monotonic();
    try {
      const value = await make();
      const at = clock.monotonic();
      made = { value, at, keepMs: Math.max(leastMs, (at - startedAt) / SHARE) };
      return value;
    } finally {
      making = null;
    }
  }

  return () => {
    if (made !== null && clock.monotonic() - made.at < made.keepMs) return Promise.resolve(made.value);
    making ??= makeAnew();
    return making;
  };
}
