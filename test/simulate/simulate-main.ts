/** `npm run simulate -- --seeds N [--from S] [--seed S]`: plays stories until one breaks the property, and tells it. */

import { parseArgs } from 'node:util';
import { play } from './play.ts';
import { shrink } from './shrink.ts';
import { describeStep, storyOf } from './story.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' } },
});
const first = Number(values.seed ?? values.from ?? 1);
const count = values.seed === undefined ? Number(values.seeds ?? 1_000) : 1;
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  console.error('simulate: --seeds, --from and --seed take whole numbers');
  process.exit(2);
}

const PROGRESS_EVERY = 500;
const started = performance.now();
let simulatedMs = 0;

for (let seed = first; seed < first + count; seed += 1) {
  const steps = storyOf(seed);
  const { violations, simulatedMs: took } = await play(seed, steps);
  simulatedMs += took;
  if (violations.length > 0) {
    await tellFailure(seed);
    process.exit(1);
  }
  const done = seed - first + 1;
  if (done % PROGRESS_EVERY === 0 || done === count) printProgress(done);
}

function printProgress(stories: number): void {
  const times = Math.round(simulatedMs / (performance.now() - started));
  const hours = Math.round(simulatedMs / 3_600_000);
  console.log(`${stories} stories, ${hours} h simulated, ${times} times faster than real time`);
}

async function tellFailure(seed: number): Promise<void> {
  const steps = await shrink(
    storyOf(seed),
    async (shorter) => (await play(seed, shorter)).violations.length > 0,
  );
  const { violations } = await play(seed, steps);
  console.log(`\nSeed ${seed} breaks the property. The shortest story found:`);
  for (const [i, step] of steps.entries()) console.log(`  ${i + 1}. ${describeStep(step)}`);
  console.log('Then:');
  for (const violation of violations) console.log(`  - ${violation}`);
  console.log(`Again: npm run simulate -- --seed ${seed}`);
}
