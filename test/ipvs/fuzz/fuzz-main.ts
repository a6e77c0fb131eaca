/** `npm run fuzz -- --count N | --seconds N [--seed S]`: reads changed replies until one breaks the promise, and prints it. */

import { parseArgs } from 'node:util';
import { Find, Fuzzer } from './fuzz.ts';

const { values } = parseArgs({
  options: { count: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' } },
});
const count = Number(values.count ?? (values.seconds === undefined ? 10_000_000 : Number.POSITIVE_INFINITY));
const seconds = Number(values.seconds ?? Number.POSITIVE_INFINITY);
const seed = Number(values.seed ?? 1);
if (!(count > 0 && seconds > 0 && Number.isSafeInteger(seed))) {
  console.error('fuzz: --count and --seconds take positive numbers, --seed a whole one');
  process.exit(2);
}

const STEP = 50_000;
const PROGRESS_EVERY_MS = 10_000;
/** A reply is at most 64 KiB: one that takes longer than this does more than it should. */
const MAX_REPLY_MS = 2_000;

const fuzzer = new Fuzzer(seed);
const started = performance.now();
let printed = started;

try {
  while (fuzzer.replies < count && performance.now() - started < seconds * 1_000) {
    await fuzzer.run(Math.min(STEP, count - fuzzer.replies));
    if (fuzzer.slowestMs > MAX_REPLY_MS) throw new Error(`a reply took ${Math.round(fuzzer.slowestMs)} ms`);
    if (performance.now() - printed > PROGRESS_EVERY_MS) printProgress();
  }
  printProgress();
} catch (error) {
  printProgress();
  console.error(`fuzz: seed ${seed}: ${(error as Error).message}`);
  if (error instanceof Find) console.error(Buffer.from(error.bytes).toString('hex'));
  process.exitCode = 1;
}

function printProgress(): void {
  printed = performance.now();
  const perSecond = Math.round(fuzzer.replies / ((printed - started) / 1_000));
  const { corpus, outcomes } = fuzzer.reached;
  const heap = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  console.log(
    `${fuzzer.replies} replies, ${perSecond} a second, ${fuzzer.sessions} sessions; ${corpus} kept, ${outcomes} outcomes; slowest ${fuzzer.slowestMs.toFixed(1)} ms, heap ${heap} MiB`,
  );
}
