import type { Desired, NamedService, ServiceKey, Table } from '../model.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * The services that the kernel forwards for and that have a right to their names: it has them, with a backend, they
 * are not another program's, and they are desired or held.
 */
export function forwarding(
  { services }: Desired,
  { conflicts, services: planned }: Plan,
  kernel: Table,
): ReadonlyMap<ServiceKey, NamedService> {
  const taken = new Set(conflicts.map(({ key }) => key));
  const found = new Map<ServiceKey, NamedService>();
  const forwards = (key: ServiceKey) => !taken.has(key) && (kernel.get(key)?.backends.size ?? 0) > 0;
  for (const [key, service] of services) if (forwards(key)) found.set(key, service);
  for (const { held, key, fqdn, protocol, address, port } of planned) {
    if (!held || found.has(key) || !forwards(key)) continue;
    // Only services of ours are held, and those have one of these protocols.
    if (protocol === 'tcp' || protocol === 'udp') found.set(key, { fqdn, protocol, address, port });
  }
  return found;
}
