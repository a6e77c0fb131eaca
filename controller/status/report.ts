import { heldText } from '../plan/held-text.ts';
import type { Report } from '../plan/plan.ts';
import { someLines, someRejections } from './at-most.ts';
import type { PassStatus } from './pass-status.ts';

/** What people and scripts read of a pass. */
export function reportOf({
  plan,
  desired,
  observed,
  held,
}: Pick<PassStatus, 'plan' | 'desired' | 'observed' | 'held'>): Report {
  const { declared } = desired;
  const rejected = someRejections(desired.rejected);
  const warnings = someLines(desired.warnings);
  const conflicting = new Set(plan.conflicts.map(({ key }) => key));
  const leftAlone = [...observed.keys()].filter(
    (key) => !plan.owned.has(key) && !conflicting.has(key),
  ).length;
  return { plan, declared, rejected, warnings, held: held === null ? null : heldText(held), leftAlone };
}
