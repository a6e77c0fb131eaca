import type { Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Plan, PlannedService } from '../plan/plan.ts';

interface RouteRules {
  /** Services with a new backend that could not be added. */
  readonly short: ReadonlySet<ServiceKey>;
  /** Whether an address lies in a pool of named VIPs. */
  readonly inPool: (address: string) => boolean;
}

/** The addresses of IP VIPs outside the pools, each of which needs a route. */
export class Routes {
  readonly #byService = new Map<ServiceKey, string>();
  #addresses: readonly string[] = [];

  /**
   * Updates the addresses after the additions of a plan (`table`). A VIP whose service or backends could not be added gets no
   * route. Returns all addresses; the same object as long as they are the same.
   */
  update({ keys, services }: Plan, table: Table, rules: RouteRules): readonly string[] {
    const routed = new Map<ServiceKey, string>();
    for (const service of services)
      if (needsRoute(service, table, rules)) routed.set(service.key, service.address);
    let changed = false;
    for (const key of keys) {
      const address = routed.get(key);
      if (this.#byService.get(key) === address) continue;
      changed = true;
      if (address === undefined) this.#byService.delete(key);
      else this.#byService.set(key, address);
    }
    if (changed) this.#addresses = [...new Set(this.#byService.values())].sort();
    return this.#addresses;
  }
}

function needsRoute(
  { op, key, name, address }: PlannedService,
  table: Table,
  { short, inPool }: RouteRules,
): boolean {
  // The address of a named VIP is in a pool.
  if (name !== null || op === 'remove' || inPool(address)) return false;
  const service = table.get(key);
  const isUseless = service === undefined || (short.has(key) && service.backends.size === 0);
  return !(op === 'add' && isUseless);
}
