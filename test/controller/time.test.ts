import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createEpochOffset, systemClock } from '../../controller/time.ts';
import { FakeClock } from '../support/fake-clock.ts';

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

  describe('for longer than a timer can be set', () => {
    afterEach(() => void jest.useRealTimers());

    it.each([2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5, 2 ** 33])(
      'resolves after %d ms, and not before',
      async (ms) => {
        jest.useFakeTimers();
        let awake = false;
        void systemClock.sleep(ms).then(() => {
          awake = true;
        });
        await jest.advanceTimersByTimeAsync(ms - 1);
        expect(awake).toBe(false);
        await jest.advanceTimersByTimeAsync(1);
        expect(awake).toBe(true);
      },
    );

    it('resolves when its signal aborts, also where it is for ever', async () => {
      jest.useFakeTimers();
      const stop = new AbortController();
      const asleep = systemClock.sleep(Number.POSITIVE_INFINITY, stop.signal);
      await jest.advanceTimersByTimeAsync(2 ** 32);
      stop.abort();
      await expect(asleep).resolves.toBeUndefined();
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});

describe('the time of day of a moment', () => {
  const clock = new FakeClock();
  const offset = createEpochOffset(clock);
  const moment = clock.monotonic();
  const shown = moment + offset();

  it('stays the same while the clock is only slewed', () => {
    for (let i = 0; i < 100; i += 1) {
      clock.step(i % 2 === 0 ? 9 : -9);
      expect(moment + offset()).toBe(shown);
    }
  });

  it('follows when the clock is stepped', () => {
    clock.step(-600_000);
    expect(moment + offset()).toBe(shown - 600_000);
  });
});

describe('the machine’s clock', () => {
  /** Age of a file on disk, in the words of the file system. */
  const MAY = ['source/file/content.ts'];

  it('is read by time.ts alone: whoever counts an interval by it stands still when it is set back', () => {
    const root = join(import.meta.dirname, '../../controller');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('page/'))
      .filter((file) => file !== 'time.ts' && !MAY.includes(file));
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => readFileSync(join(root, file), 'utf8').includes('Date.now'))).toEqual([]);
  });
});
