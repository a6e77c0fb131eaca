import { type Step, serviceKey, type Table } from '../model.ts';
import type { ReachabilityReport, StepFailure } from '../ports.ts';

/** What applying has brought so far; kept outside so that an error half-way loses none of it. */
export interface Outcome {
  readonly failures: StepFailure[];
  waiting: number;
  reached: ReachabilityReport;
  /** What keeps names from being asked for. */
  unanswered: readonly string[];
}

export const NOT_LOOKED_AT: ReachabilityReport = { changed: [], problems: [], advice: [] };

export function nothingYet(): Outcome {
  return { failures: [], waiting: 0, reached: NOT_LOOKED_AT, unanswered: [] };
}

/** A step that failed may have been made all the same: what is found there was no one else's doing. */
export function withoutFailed(table: Table, { failures }: Outcome): Table {
  if (failures.length === 0) return table;
  const failed = new Set(failures.map(({ step }) => serviceKey(step.service)));
  return new Map([...table].filter(([key]) => !failed.has(key)));
}

/** Those of these steps that did not fail. */
export function made(steps: readonly Step[], { failures }: Outcome): readonly Step[] {
  const failed = new Set(failures.map(({ step }) => step));
  return steps.filter((step) => !failed.has(step));
}
