import { heldText } from '../plan/held-text.ts';
import type { Report } from '../plan/plan.ts';
import type { PassStatus } from './pass-status.ts';

/** What people and scripts read of a pass. */
export function reportOf({ plan, desired, held }: Pick<PassStatus, 'plan' | 'desired' | 'held'>): Report {
  const { declared, rejected, warnings } = desired;
  return { plan, declared, rejected, warnings, held: held === null ? null : heldText(held) };
}
