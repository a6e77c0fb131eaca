import type { StoryStep } from './story.ts';

/** Leaves out whatever the story fails without: large parts first, then single steps. */
export async function shrink(
  steps: readonly StoryStep[],
  fails: (steps: readonly StoryStep[]) => Promise<boolean>,
): Promise<readonly StoryStep[]> {
  let shortest = steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length; ) {
      const shorter = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      if (await fails(shorter)) shortest = shorter;
      else at += size;
    }
  }
  return shortest;
}
