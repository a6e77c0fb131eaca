import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../controller/loop/clock.ts';

describe('systemClock.sleep', () => {
  it('resolves after the time given', async () => {
    const begun = performance.now();

    await systemClock.sleep(30);

    // Timers count whole milliseconds.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(29);
  });

  it('resolves as soon as its signal aborts', async () => {
    const stop = new AbortController();
    const asleep = systemClock.sleep(3_600_000, stop.signal);

    stop.abort();

    await expect(asleep).resolves.toBeUndefined();
  });

  it('does not wait where the signal has aborted before', async () => {
    await expect(systemClock.sleep(3_600_000, AbortSignal.abort())).resolves.toBeUndefined();
  });

  it('leaves neither a timer nor a listener behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const stop = new AbortController();
    let listening = 0;
    const signal = Object.assign(stop.signal, {
      addEventListener(...given: Parameters<EventTarget['addEventListener']>) {
        listening += 1;
        EventTarget.prototype.addEventListener.apply(stop.signal, given);
      },
      removeEventListener(...given: Parameters<EventTarget['removeEventListener']>) {
        listening -= 1;
        EventTarget.prototype.removeEventListener.apply(stop.signal, given);
      },
    });

    await systemClock.sleep(1, signal);
    const aborted = systemClock.sleep(3_600_000, signal);
    stop.abort();
    await aborted;

    expect(listening).toBe(0);
    expect(timers()).toBe(before);
  });
});
