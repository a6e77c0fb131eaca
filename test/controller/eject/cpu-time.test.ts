import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { threadCpuMs } from '../../../controller/eject/cpu-time.ts';

describe('threadCpuMs', () => {
  test('counts work that is shorter than a clock tick', async () => {
    const begun = threadCpuMs();
    let counted = 0;
    for (let i = 0; i < 100; i += 1) {
      const from = threadCpuMs();
      for (const end = performance.now() + 1.5; performance.now() < end; );
      counted += threadCpuMs() - from;
      await sleep(3);
    }

    // The rest is that of timers and the event loop. By RUSAGE_THREAD alone it was 0.3.
    expect(counted / (threadCpuMs() - begun)).toBeGreaterThan(0.5);
  });
});
