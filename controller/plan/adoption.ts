/** Services of other programs that a plan takes over, since an app asks for them. */

import type { ServiceKey } from '../model/service.ts';
import type { Owned, PlanDraft } from './plan.ts';

/** The plan without ownership of services that it would adopt. */
export function withoutAdopted(plan: PlanDraft): PlanDraft {
  const adopted = new Set(plan.services.filter(({ adopted }) => adopted).map(({ key }) => key));
  return { ...plan, owned: new Map([...plan.owned].filter(([key]) => !adopted.has(key))) };
}

/**
 * The owned services with those that the plan adopts: what they would lose counts too, as at the migration from dcos-net or
 * when the ledger was lost.
 */
export function withAdopted(
  owned: ReadonlyMap<ServiceKey, Owned>,
  plan: PlanDraft,
): ReadonlyMap<ServiceKey, Owned> {
  const adopted = plan.services.filter((service) => service.adopted);
  if (adopted.length === 0) return owned;
  return new Map([...owned, ...adopted.map(({ key }) => [key, plan.owned.get(key) ?? NAMELESS] as const)]);
}

const NAMELESS: Owned = { name: null, framework: null, fqdn: null };
