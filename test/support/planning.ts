/** Plans over whole tables, and the tables that they lead to. */

import type { Desired } from '../../controller/model/desired.ts';
import type { Step, Table } from '../../controller/model/kernel.ts';
import { applySteps } from '../../controller/plan/after-steps.ts';
import { Diff, everyKey, type Ownership } from '../../controller/plan/diff.ts';
import type { HostOrder } from '../../controller/plan/host-order.ts';
import type { Plan } from '../../controller/plan/plan.ts';

/** Makes the function that compares all services. */
export function createDiff(order?: HostOrder) {
  return (desired: Desired, observed: Table, ownership: Ownership): Plan => {
    const input = { desired, observed, ...ownership, order };
    const diff = new Diff(input);
    for (const key of everyKey(input)) diff.add(key);
    return diff.plan();
  };
}

/** The table as it is after these steps. */
export function afterSteps(table: Table, steps: readonly Step[]): Table {
  const result = new Map(table);
  applySteps(result, steps);
  return result;
}
