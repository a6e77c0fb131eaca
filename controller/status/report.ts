import type { PassStatus } from '../pass-status.ts';
import { withUntouched } from '../plan/diff.ts';
import { heldText } from '../plan/held-text.ts';
import type { Report } from '../plan/plan.ts';
import { warningsOf } from '../plan/unclaimed.ts';
import { truncateLines, truncateRejections } from './truncate.ts';

/** Builds the diff that people and scripts read: the services that a pass compared, and the rest, which are as desired. */
export function reportOf(
  pass: Pick<PassStatus, 'plan' | 'desired' | 'observed' | 'owned' | 'held' | 'unknown' | 'kept'>,
): Report {
  const { plan: compared, desired, observed, owned, held } = pass;
  const plan = withUntouched(compared, desired, observed);
  const { declared } = desired;
  const rejected = truncateRejections(desired.rejected);
  const warnings = truncateLines(warningsOf(pass));
  const conflicting = new Set(plan.conflicts.map(({ key }) => key));
  const leftAlone = [...observed.keys()].filter(
    (key) => !owned.has(key) && !plan.owned.has(key) && !conflicting.has(key),
  ).length;
  return { plan, declared, rejected, warnings, held: held === null ? null : heldText(held), leftAlone };
}
