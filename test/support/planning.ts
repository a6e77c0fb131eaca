/** Plans over whole tables, and the tables that they lead to. */

import type { Desired } from '../../controller/model/desired.ts';
import type { Step, Table } from '../../controller/model/kernel.ts';
import { applySteps } from '../../controller/plan/after-steps.ts';
import { Diff, everyKey, type Ownership } from '../../controller/plan/diff.ts';
import type { HostOrder } from '../../controller/plan/host-order.ts';
import { type Plan, type PlanDraft, StepList } from '../../controller/plan/plan.ts';

/** Makes the function that compares all services. */
export function createDiff(order?: HostOrder) {
  return (desired: Desired, observed: Table, ownership: Ownership): Plan =>
    completed(draftOf(desired, observed, ownership), order);
}

/** The plan before any stage has taken something out of it. */
export function draftOf(desired: Desired, observed: Table, ownership: Ownership): PlanDraft {
  const input = { desired, observed, ...ownership };
  const diff = new Diff(input);
  for (const key of everyKey(input)) diff.add(key);
  return diff.draft();
}

/** The plan with its steps. */
export function completed(draft: PlanDraft, order?: HostOrder): Plan {
  const steps = new StepList(order);
  for (const service of draft.services) steps.add(service);
  return steps.complete(draft);
}

/** The table as it is after these steps. */
export function afterSteps(table: Table, steps: readonly Step[]): Table {
  const result = new Map(table);
  applySteps(result, steps);
  return result;
}
