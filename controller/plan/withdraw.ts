import type { Step } from '../model/kernel.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { type Owned, type Plan, type PlannedService, summaryOf } from './plan.ts';

/** Owned services that are removed because their address is in use elsewhere, with the steps. */
export interface Withdrawal {
  readonly services: readonly PlannedService[];
  readonly steps: readonly Step[];
}

/**
 * Splits off the removals of services whose address belongs to someone. As long as such a service exists, this host cannot
 * reach the owner, so its removal is neither drained nor held, and does not wait for the sources (rule 9). `ownerOf`
 * returns why no VIP may have an address; null when one may.
 */
export function splitWithdrawn(
  plan: Plan,
  ownerOf: (address: string) => string | null,
): { readonly rest: Plan; readonly withdrawn: Withdrawal } {
  const services: PlannedService[] = [];
  for (const service of plan.services) {
    const reason = service.op === 'remove' ? ownerOf(service.address) : null;
    if (reason !== null) services.push({ ...service, reason: `withdrawn: ${reason}` });
  }
  if (services.length === 0) return { rest: plan, withdrawn: NONE };

  const keys = new Set<ServiceKey>(services.map(({ key }) => key));
  const goes = ({ service }: Step) => keys.has(serviceKey(service));
  const rest = plan.services.filter(({ key }) => !keys.has(key));
  return {
    rest: {
      ...plan,
      services: rest,
      shrinking: plan.shrinking.filter((step) => !goes(step)),
      summary: summaryOf(rest),
    },
    withdrawn: { services, steps: plan.shrinking.filter(goes) },
  };
}

const NONE: Withdrawal = { services: [], steps: [] };

/** The plan with the withdrawal put back, before all other removals. */
export function withWithdrawn(plan: Plan, { services: gone, steps }: Withdrawal): Plan {
  if (gone.length === 0) return plan;
  const services = [...plan.services, ...gone];
  return { ...plan, services, shrinking: [...steps, ...plan.shrinking], summary: summaryOf(services) };
}

/** The owned services without the withdrawn ones, which do not count as losses. */
export function withoutWithdrawn(
  owned: ReadonlyMap<ServiceKey, Owned>,
  { services }: Withdrawal,
): ReadonlyMap<ServiceKey, Owned> {
  if (services.length === 0) return owned;
  const left = new Map(owned);
  for (const { key } of services) left.delete(key);
  return left;
}
