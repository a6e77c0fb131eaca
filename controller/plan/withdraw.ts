import { type ServiceKey, type Step, serviceKey } from '../model.ts';
import { type Owned, type Plan, type PlannedService, summaryOf } from './plan.ts';

/** Services of ours that go because their address belongs to someone, with the steps that take them away. */
export interface Withdrawal {
  readonly services: readonly PlannedService[];
  readonly steps: readonly Step[];
}

/**
 * Takes out of the plan the removals of services whose address belongs to someone: as long as such a service is there,
 * this host cannot reach the owner, so it is neither drained nor held, and needs no source to have been read (rule 9).
 * `ownerOf` says why no VIP may have an address; null where one may.
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

/** The plan with what was taken out of it: before all other removals. */
export function withWithdrawn(plan: Plan, { services: gone, steps }: Withdrawal): Plan {
  if (gone.length === 0) return plan;
  const services = [...plan.services, ...gone];
  return { ...plan, services, shrinking: [...steps, ...plan.shrinking], summary: summaryOf(services) };
}

/** What is owned besides: of what else goes, these are no part. */
export function withoutWithdrawn(
  owned: ReadonlyMap<ServiceKey, Owned>,
  { services }: Withdrawal,
): ReadonlyMap<ServiceKey, Owned> {
  if (services.length === 0) return owned;
  const left = new Map(owned);
  for (const { key } of services) left.delete(key);
  return left;
}
