import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { createLedger } from '../../controller/state/ledger.ts';
import { anyStory } from '../support/model/any-story.ts';
import type { LedgerMaker } from '../support/model/machine.ts';
import { play, type Story } from '../support/model/story.ts';
import { onKernel } from './ipvs-kernel.ts';
import { realStoryKernel } from './story-kernel.ts';

/** As `test/controller/model/`, where it says how a story is told; here each write is a look with `ipvsadm`. */
const LONG = process.env['LONG_TESTS'] === 'yes';
const RUNS = LONG ? { runs: 10_000, limitMs: 900_000 } : { runs: 15, limitMs: 45_000 };
jest.setTimeout(RUNS.limitMs + 240_000);

onKernel('random stories on the real kernel and a real ledger', () => {
  test('end with the kernel as desired, and break no rule on the way', async () => {
    let played = 0;
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => {
        await playOnKernel(story);
        played += 1;
      }),
      { numRuns: RUNS.runs, interruptAfterTimeLimit: RUNS.limitMs },
    );
    console.info(`${played} stories`);
    expect(played).toBeGreaterThan(0);
  });
});

async function playOnKernel(story: Story): Promise<void> {
  const kernel = await realStoryKernel();
  const ledger = ledgerAt(join(tmpdir(), `marathon-ipvs-story-${process.pid}.json`));
  try {
    await play(story, kernel, ledger);
  } finally {
    await kernel.close();
    await ledger.empty();
  }
}

function ledgerAt(path: string): LedgerMaker {
  return { open: () => createLedger(path), empty: () => rm(path, { force: true }) };
}
