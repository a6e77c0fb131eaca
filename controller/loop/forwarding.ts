import type { Desired } from '../model/desired.ts';
import type { Step, Table } from '../model/kernel.ts';
import { type NamedService, type ServiceKey, serviceKey } from '../model/service.ts';
import type { Plan } from '../plan/plan.ts';
import type { NameChanges } from '../ports.ts';

/**
 * The services whose names are published: the kernel has them with a backend, they are owned, and they are desired or held.
 */
export class Forwarding {
  readonly #services = new Map<ServiceKey, NamedService>();

  /**
   * Updates the published services after the additions of a plan (`table`) and before its removals (`shrinking`), so that a
   * name is removed before its last backend. Returns the changes.
   */
  update({ services }: Pick<Desired, 'services'>, plan: Plan, { table, shrinking }: Stage): NameChanges {
    const taken = new Set(plan.conflicts.map(({ key }) => key));
    const held = heldServices(plan);
    const removed = removals(shrinking);
    const changes = new Map<ServiceKey, NamedService | null>();
    for (const key of plan.keys) {
      const left = (table.get(key)?.backends.size ?? 0) - (removed.get(key) ?? 0);
      const forwards = !taken.has(key) && left > 0;
      const service = forwards ? (services.get(key) ?? held.get(key)) : undefined;
      const had = this.#services.get(key);
      if (had?.fqdn === service?.fqdn && (had === undefined) === (service === undefined)) continue;
      const now = service === undefined ? null : named(service);
      changes.set(key, now);
      if (now === null) this.#services.delete(key);
      else this.#services.set(key, now);
    }
    return changes;
  }
}

/** Only these fields, so that the service itself with its backends is not kept alive. */
function named({ fqdn, protocol, address, port }: NamedService): NamedService {
  return { fqdn, protocol, address, port };
}

/** The state of applying a plan when names are published. */
interface Stage {
  readonly table: Table;
  readonly shrinking: readonly Step[];
}

/** Numbers of backends that each service loses. */
function removals(steps: readonly Step[]): ReadonlyMap<ServiceKey, number> {
  const counts = new Map<ServiceKey, number>();
  for (const { op, service } of steps) {
    if (op !== 'remove-backend') continue;
    const key = serviceKey(service);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function heldServices({ services }: Plan): ReadonlyMap<ServiceKey, NamedService> {
  const found = new Map<ServiceKey, NamedService>();
  for (const { held, key, fqdn, protocol, address, port } of services) {
    // Only owned services are held, so the protocol is one that a VIP can have.
    if (held && (protocol === 'tcp' || protocol === 'udp')) found.set(key, { fqdn, protocol, address, port });
  }
  return found;
}
