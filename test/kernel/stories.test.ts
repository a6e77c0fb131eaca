import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest, test } from '@jest/globals';
import fc from 'fast-check';
import { createLedger } from '../../controller/state/ledger.ts';
import { anyStory } from '../support/model/any-story.ts';
import type { LedgerMaker } from '../support/model/machine.ts';
import { play, type Story } from '../support/model/story.ts';
import { onKernel } from './ipvs-kernel.ts';
import { realStoryKernel } from './story-kernel.ts';

/** As `test/controller/model/`, where it says how a story is told; here each write is a look with `ipvsadm`. */
const LONG = process.env['LONG_TESTS'] === 'yes';
const RUNS = LONG ? { numRuns: 10_000, interruptAfterTimeLimit: 900_000 } : { numRuns: 15 };
if (LONG) jest.setTimeout(1_200_000);

onKernel('random stories on the real kernel and a real ledger', () => {
  test('end with the kernel as desired, and break no rule on the way', async () => {
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => {
        await playOnKernel(story);
      }),
      RUNS,
    );
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
