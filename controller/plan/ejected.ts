import { type Ejection, type Ejections, type TargetKey, targetKey } from '../model/ejection.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Backend, Service, ServiceKey } from '../model/service.ts';
import type { DecisionTable } from './decision.ts';

/**
 * Which of a VIP's unresponsive backends leave the rotation: at most half of those that its sources want in rotation, and
 * never the last one. Those that have failed longest go first.
 */
export function ejectedOf(
  { protocol, backends }: Pick<Service, 'protocol' | 'backends'>,
  ejections: Ejections,
): ReadonlyMap<BackendKey, Ejection> {
  if (ejections.size === 0) return NONE;
  let wanted = 0;
  const failed: [BackendKey, Ejection][] = [];
  for (const [key, { weight, eject }] of backends) {
    if (weight === 0) continue;
    wanted += 1;
    const ejection = eject === false ? undefined : ejections.get(targetKey(protocol, key));
    if (ejection !== undefined) failed.push([key, ejection]);
  }
  failed.sort(([a, one], [b, other]) => one.since - other.since || (a < b ? -1 : 1));
  return new Map(failed.slice(0, Math.floor(wanted / 2)));
}

const NONE: ReadonlyMap<BackendKey, Ejection> = new Map();

/** The service with weight 0 for its ejected backends: they keep their connections and get no new ones. */
export function withEjected(service: Service, ejected: ReadonlyMap<BackendKey, Ejection>): Service {
  if (ejected.size === 0) return service;
  const backends = new Map<BackendKey, Backend>(service.backends);
  for (const [key, { reason }] of ejected) {
    const backend = backends.get(key);
    if (backend !== undefined) backends.set(key, { ...backend, weight: 0, reason: `ejected: ${reason}` });
  }
  return { ...service, backends };
}

/** The services with at least one of these backends. */
export function* servicesWith(
  services: ReadonlyMap<ServiceKey, Service>,
  targets: ReadonlySet<TargetKey>,
): Generator<ServiceKey> {
  if (targets.size === 0) return;
  for (const [key, { protocol, backends }] of services) {
    for (const target of targets) {
      if (!target.startsWith(`${protocol}/`) || !backends.has(target.slice(protocol.length + 1))) continue;
      yield key;
      break;
    }
  }
}

/** Adds the decisions about ejected backends of a service, with the time of the next probe. */
export function decideEjected(
  decisions: DecisionTable,
  service: ServiceKey,
  ejected: ReadonlyMap<BackendKey, Ejection>,
): void {
  for (const [backend, { since, nextProbe }] of ejected) {
    const endsWhen =
      nextProbe === null
        ? 'the TCP backends of its agent answer again'
        : 'two probes in a row find that it answers';
    decisions.add(service, backend, { rule: 'ejected', since, endsWhen, endsAt: nextProbe });
  }
}
