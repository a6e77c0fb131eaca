import type { Desired, Service, ServiceKey, Table } from '../model.ts';
import type { Plan } from '../plan/plan.ts';

/** The desired services that the kernel forwards for: it has them, with a backend, and they are not another program's. */
export function forwarding(
  { services }: Desired,
  { conflicts }: Plan,
  kernel: Table,
): ReadonlyMap<ServiceKey, Service> {
  const taken = new Set(conflicts.map(({ key }) => key));
  const found = new Map<ServiceKey, Service>();
  for (const [key, service] of services) {
    if (!taken.has(key) && (kernel.get(key)?.backends.size ?? 0) > 0) found.set(key, service);
  }
  return found;
}
