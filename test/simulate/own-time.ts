/**
 * Runs `work` while the machine's own clock, `performance.now`, goes on by `stepMs` each time that it is looked at, and not by itself.
 * Long work in turns looks at it to see whether it should rest, so that these rests are the same however busy the machine is.
 */
export async function withOwnTime<T>(stepMs: number, work: () => Promise<T>): Promise<T> {
  let now = 0;
  performance.now = () => {
    now += stepMs;
    return now;
  };
  try {
    return await work();
  } finally {
    Reflect.deleteProperty(performance, 'now');
  }
}
