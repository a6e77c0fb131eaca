import type { ServiceKey } from '../model/service.ts';
import type { Owned, PlanDraft, PlannedService } from './plan.ts';

/**
 * Splits off the removals of services whose address belongs to someone. As long as such a service exists, this host cannot
 * reach the owner, so its removal is neither drained nor held, and does not wait for the sources (rule 9). `ownerOf`
 * returns why no VIP may have an address; null when one may.
 */
export function splitWithdrawn(
  draft: PlanDraft,
  ownerOf: (address: string) => string | null,
): { readonly rest: PlanDraft; readonly withdrawn: readonly PlannedService[] } {
  const services: PlannedService[] = [];
  const withdrawn: PlannedService[] = [];
  for (const service of draft.services) {
    const reason = service.op === 'remove' ? ownerOf(service.address) : null;
    if (reason === null) services.push(service);
    else withdrawn.push({ ...service, reason: `withdrawn: ${reason}` });
  }
  return { rest: { ...draft, services }, withdrawn };
}

/** The owned services without the withdrawn ones, which do not count as losses. */
export function withoutWithdrawn(
  owned: ReadonlyMap<ServiceKey, Owned>,
  withdrawn: readonly PlannedService[],
): ReadonlyMap<ServiceKey, Owned> {
  if (withdrawn.length === 0) return owned;
  const left = new Map(owned);
  for (const { key } of withdrawn) left.delete(key);
  return left;
}
