import type { PassStatus } from '../pass-status.ts';
import { withUntouched } from '../plan/diff.ts';
import { heldText } from '../plan/held-text.ts';
import type { Report } from '../plan/plan.ts';
import { someLines, someRejections } from './at-most.ts';

/** What people and scripts read of a pass: the services that it looked at, and all others, which are as desired. */
export function reportOf({
  plan: looked,
  desired,
  observed,
  owned,
  held,
}: Pick<PassStatus, 'plan' | 'desired' | 'observed' | 'owned' | 'held'>): Report {
  const plan = withUntouched(looked, desired, observed);
  const { declared } = desired;
  const rejected = someRejections(desired.rejected);
  const warnings = someLines(desired.warnings);
  const conflicting = new Set(plan.conflicts.map(({ key }) => key));
  const leftAlone = [...observed.keys()].filter(
    (key) => !owned.has(key) && !plan.owned.has(key) && !conflicting.has(key),
  ).length;
  return { plan, declared, rejected, warnings, held: held === null ? null : heldText(held), leftAlone };
}
