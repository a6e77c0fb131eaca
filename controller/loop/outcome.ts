import type { Step } from '../model/kernel.ts';
import type { ReachabilityReport, StepFailure } from '../ports.ts';

/** The result of applying a plan so far. It belongs to the pass, so that an error halfway loses none of it. */
export interface Outcome {
  readonly failures: StepFailure[];
  made: readonly Step[];
  /** Steps that add backends at addresses that the kernel does not accept as destinations. */
  refused: readonly Step[];
  /** Steps that were not tried: they failed before, or depend on one that failed. */
  untried: readonly Step[];
  reached: ReachabilityReport;
  /** Problems that keep clients from resolving names. */
  unanswered: readonly string[];
}

export const NOT_LOOKED_AT: ReachabilityReport = { changed: [], problems: [], advice: [] };

export function nothingYet(): Outcome {
  return {
    failures: [],
    made: [],
    refused: [],
    untried: [],
    reached: NOT_LOOKED_AT,
    unanswered: [],
  };
}

/** The steps that did not fail. */
export function made(steps: readonly Step[], failures: readonly StepFailure[]): readonly Step[] {
  if (failures.length === 0) return steps;
  const failed = new Set(failures.map(({ step }) => step));
  return steps.filter((step) => !failed.has(step));
}
