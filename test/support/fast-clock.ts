import { type Clock, systemClock } from '../../controller/time.ts';

/** A process that stood still has slept through this much of its real time at the most. */
const LONGEST_STEP_MS = 2;

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/**
 * Time that runs `scale` times as fast, in which long waits are short.
 *
 * It goes on in steps of a few milliseconds at the most, however long the machine keeps the process waiting: what takes many
 * turns of the event loop, as a request to a server does, is then not overtaken by its own deadline.
 */
export function fastClock(scale: number): Clock {
  const sleepers = new Set<Sleeper>();
  let ticking: ReturnType<typeof setInterval> | undefined;
  let seen = systemClock.monotonic();
  let now = seen;

  const monotonic = () => {
    const real = systemClock.monotonic();
    now += Math.min(real - seen, LONGEST_STEP_MS) * scale;
    seen = real;
    return now;
  };
  const tick = () => {
    monotonic();
    for (const sleeper of [...sleepers].sort((a, b) => a.due - b.due)) if (sleeper.due <= now) sleeper.wake();
  };

  return {
    epoch: systemClock.epoch,
    monotonic,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          due: monotonic() + ms,
          wake() {
            sleepers.delete(sleeper);
            if (sleepers.size === 0) {
              clearInterval(ticking);
              ticking = undefined;
            }
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        if (signal?.aborted) return resolve();
        sleepers.add(sleeper);
        ticking ??= setInterval(tick, 1).unref();
        signal?.addEventListener('abort', sleeper.wake);
      }),
  };
}
