import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { anyStory } from '../../support/model/any-story.ts';
import { playInMemory } from '../../support/model/story.ts';

/**
 * `LONG_TESTS=yes` plays new stories for a quarter of an hour. A failure prints seed and path, and the shortest story
 * that fails. The short form plays the same ones each time: whoever changes something else must not be stopped by a
 * story that nobody has met before.
 */
const LONG = process.env['LONG_TESTS'] === 'yes';
const RUNS = LONG ? { numRuns: 50_000, interruptAfterTimeLimit: 900_000 } : { numRuns: 300 };
if (LONG) jest.setTimeout(1_200_000);

describe('random stories of apps, other programs, faults and crashes', () => {
  test('end with the kernel as desired, and break no rule on the way', async () => {
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => {
        await playInMemory(story);
      }),
      RUNS,
    );
  });

  test.each(['3.18', '4.1', '5.2'] as const)('end so too on kernels before %s', async (before) => {
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => {
        await playInMemory(story, before);
      }),
      { numRuns: 30 },
    );
  });

  test('tell of everything that they are about', async () => {
    const told: string[] = [];
    for (const story of fc.sample(anyStory, { seed: 3, numRuns: 120 }))
      told.push(...(await playInMemory(story)));
    const found = (words: RegExp) => told.filter((line) => words.test(line)).length;
    const seen = Object.fromEntries(SUBJECTS.map((words) => [words.source, found(words)]));
    expect(SUBJECTS.filter((words) => found(words) === 0).map((words) => [words.source, seen])).toEqual([]);
  });
});

/** Lines of stories: a subject that none has is not tested, however often the stories end well. */
const SUBJECTS = [
  /adopted: /,
  /held: /,
  /asked again: /,
  /conflict: /,
  /is draining: /,
  /is ejected: /,
  /is slow start: /,
  /on the word of our own disk/,
  /dies before write/,
  /failed: .*ENOMEM/,
  /failed: .*outcome unknown/,
  /pass fails: .*no buffer space/,
  /pass fails: .*interrupted 8 times/,
  /failed: .*no space left/,
  /pass fails: the interface/,
  /kernel: .*remove-service udp/,
  /memory: .*web.marathon 11.0.0.1 .*web.metronome/,
];
