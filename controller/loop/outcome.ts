import type { Step } from '../model/kernel.ts';
import type { ReachabilityReport, StepFailure } from '../ports.ts';

/** What became of the steps of a plan so far. It belongs to the pass, so that an error halfway loses none of it. */
export interface Outcome {
  applied: readonly Step[];
  /** They are retried after a delay. */
  failed: readonly StepFailure[];
  /** Steps that add backends at addresses that the kernel does not accept as destinations. */
  refused: readonly Step[];
  /** Steps that were not tried: the retry of an earlier failure is not due, or they depend on a step that failed. */
  postponed: readonly Step[];
  /** Steps that were not tried, since the last backend in rotation stays until its replacement could be added. */
  lastInRotation: readonly Step[];
  reached: ReachabilityReport;
  /** Problems that keep clients from resolving names. */
  unanswered: readonly string[];
}

/** The report when reachability was not checked. */
export const NOT_CHECKED: ReachabilityReport = { changed: [], problems: [], advice: [] };

/** The outcome of a pass that has not begun. */
export function nothingYet(): Outcome {
  const steps = { applied: [], failed: [], refused: [], postponed: [], lastInRotation: [] };
  return { ...steps, reached: NOT_CHECKED, unanswered: [] };
}
