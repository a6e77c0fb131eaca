/**
 * Only to end a test that hangs. Machines that run the tests may have much else to do, so nothing is measured by it: what a
 * test says of time it says with a clock of its own.
 */
export const HANG_MS = 600_000;

/** Looks every `everyMs` until `look` gives something other than undefined or false; an error of its is no answer yet. */
export async function eventually<Value>(
  look: () => Promise<Value | undefined | false> | Value | undefined | false,
  what = 'what the test waits for',
  everyMs = 100,
): Promise<Value> {
  const end = performance.now() + HANG_MS;
  for (let last: unknown = 'it was never so'; ; ) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Resolves once `check` does, which expects something; what it rejected with last is the cause where it never does. */
export async function until(check: () => Promise<void>, what: string): Promise<void> {
  await eventually(async () => {
    await check();
    return true;
  }, what);
}
