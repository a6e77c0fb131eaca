/** Runs a generator to its end without yielding to the event loop. */
export function atOnce<T>(parts: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}
