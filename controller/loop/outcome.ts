import type { Step } from '../model.ts';
import type { ReachabilityReport, StepFailure } from '../ports.ts';

/** What applying has brought so far; kept outside so that an error half-way loses none of it. */
export interface Outcome {
  readonly failures: StepFailure[];
  made: readonly Step[];
  /** Steps of the plan that add backends at addresses that the kernel takes for no destination. */
  refused: readonly Step[];
  /** Steps of the plan that were not tried: they failed before, or could not be made without another one. */
  untried: readonly Step[];
  reached: ReachabilityReport;
  /** What keeps names from being asked for. */
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

/** Those of these steps that did not fail. */
export function made(steps: readonly Step[], failures: readonly StepFailure[]): readonly Step[] {
  if (failures.length === 0) return steps;
  const failed = new Set(failures.map(({ step }) => step));
  return steps.filter((step) => !failed.has(step));
}
