/**
 * `totals.ts FOLDER NAME…` adds up the results that Jest wrote as FOLDER/NAME.json and prints the one line
 * `N passed, N failed`. Ends with 1 when anything failed, or when a run gave no result; it then names the tests that
 * FOLDER/NAME.running says the run was in.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const [folder = '', ...names] = process.argv.slice(2);
const total = names
  .map((name) => countsOf(name))
  .reduce((sum, { passed, failed, skipped }) => ({
    passed: sum.passed + passed,
    failed: sum.failed + failed,
    skipped: sum.skipped + skipped,
  }));
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** A run that died, or that ran nothing, is a failure: it would otherwise be the easiest way to pass. */
function countsOf(name: string): Counts {
  const counts = resultsOf(name);
  if (counts.passed + counts.failed > 0) return counts;
  const running = runningIn(name);
  process.stderr.write(
    running === '' ? `${name}: no test ran\n` : `${name}: ended in the middle of\n${running}`,
  );
  return { ...counts, failed: 1 };
}

/** The tests that a run was in when it ended without results, a line each. */
function runningIn(name: string): string {
  try {
    return readFileSync(join(folder, `${name}.running`), 'utf8');
  } catch {
    return '';
  }
}

function resultsOf(name: string): Counts {
  let results: Record<string, unknown>;
  try {
    results = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const count = (key: string) => Number(results[key] ?? 0);
  return {
    passed: count('numPassedTests'),
    // A file that could not be loaded has no tests that could fail.
    failed: count('numFailedTests') + count('numRuntimeErrorTestSuites'),
    skipped: count('numPendingTests') + count('numTodoTests'),
  };
}
