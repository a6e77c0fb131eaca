import { messageOf } from '../errors.ts';
import type { ObservedService, Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Owned } from '../plan/plan.ts';
import type { LedgerBook } from './ledger-book.ts';
import type { ManagedTablePorts } from './managed-table.ts';
import type { PlanRules } from './planner.ts';
import type { ReachabilityView } from './reachability-view.ts';

type WithdrawRules = Pick<PlanRules, 'inPool' | 'taken'>;

/** Our IP VIPs in the kernel at addresses that this program depends on, with the reason. */
export function takenVips(
  owned: ReadonlyMap<ServiceKey, Owned>,
  observed: Table,
  { inPool, taken }: WithdrawRules,
): ReadonlyMap<ServiceKey, { readonly service: ObservedService; readonly reason: string }> {
  const found = new Map<ServiceKey, { readonly service: ObservedService; readonly reason: string }>();
  if (taken === undefined) return found;
  for (const [key, service] of ipVips(owned, observed)) {
    const reason = inPool(service.address) ? null : taken(service.address);
    if (reason !== null) found.set(key, { service, reason });
  }
  return found;
}

function* ipVips(owned: ReadonlyMap<ServiceKey, Owned>, observed: Table) {
  for (const [key, { name }] of owned) {
    const service = name === null ? observed.get(key) : undefined;
    if (service !== undefined) yield [key, service] as const;
  }
}

/**
 * Removes VIPs that cut this host off from its own sources before any source has been read: otherwise none ever could be.
 * Everything else stays as it is. Never rejects: failures are logged, and the caller retries.
 */
export async function withdrawTaken(
  { table, log }: Pick<ManagedTablePorts, 'table' | 'log'>,
  parts: { readonly book: LedgerBook; readonly reachability: ReachabilityView },
  rules: WithdrawRules,
): Promise<void> {
  try {
    const observed = await table.observe();
    const owned = await parts.book.load(observed);
    const taken = takenVips(owned, observed, rules);
    if (taken.size === 0) return;

    const staying = new Set<string>();
    for (const [key, { address }] of ipVips(owned, observed))
      if (!taken.has(key) && !rules.inPool(address)) staying.add(address);
    const gone = [...taken.values()].map(({ service }) => service);
    await parts.reachability.ensure([...staying], true);
    const failures = await table.apply(gone.map((service) => ({ op: 'remove-service', service })));
    for (const [vip, { reason }] of taken) log.warn('VIP withdrawn', { vip, reason });
    for (const { error } of failures) log.warn('VIP not withdrawn', { error: messageOf(error) });
    if (failures.length === 0) await parts.book.forgetAll(new Set(taken.keys()));
  } catch (error) {
    log.warn('could not check for VIPs at the addresses of sources', { error: messageOf(error) });
  }
}
