import type { Desired } from '../model/desired.ts';
import { type Ejections, type TargetKey, targetKey } from '../model/ejection.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Backend, Service, ServiceKey } from '../model/service.ts';
import { type Decisions, DecisionTable } from './decision.ts';
import { ChangedServices, desiredWith } from './desired-with.ts';
import { ejectedOf } from './restraint.ts';

/** The desired state with weight 0 for each ejected backend: it keeps its connections and gets no new ones. */
export function withEjections(desired: Desired, ejections: Ejections): Desired {
  const changed = new ChangedServices<Ejections>();
  return desiredWith(desired, (service, key) =>
    changed.of(key, service, ejections, () => without(service, ejections)),
  );
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

/** Whether the backend at an endpoint is ejected from this service. */
export function isEjected(
  { services }: Pick<Desired, 'services'>,
  ejections: Ejections,
): (endpoint: BackendKey, service: ServiceKey) => boolean {
  return (endpoint, key) => {
    const service = ejections.size === 0 ? undefined : services.get(key);
    return service !== undefined && ejectedOf(service, ejections).has(endpoint);
  };
}

/** Decisions about ejected backends of these services, with the time of the next probe. */
export function ejectionDecisions(
  keys: Iterable<ServiceKey>,
  { services }: Pick<Desired, 'services'>,
  ejections: Ejections,
): Decisions {
  const decisions = new DecisionTable();
  if (ejections.size === 0) return decisions.all;
  for (const key of keys) {
    const service = services.get(key);
    if (service === undefined) continue;
    for (const [backend, { since, nextProbe }] of ejectedOf(service, ejections)) {
      const endsWhen =
        nextProbe === null
          ? 'the TCP backends of its agent answer again'
          : 'two probes in a row find that it answers';
      decisions.add(key, backend, { rule: 'ejected', since, endsWhen, endsAt: nextProbe });
    }
  }
  return decisions.all;
}

function without(service: Service, ejections: Ejections): Service {
  const { protocol } = service;
  if (![...service.backends.keys()].some((key) => ejections.has(targetKey(protocol, key)))) return service;
  const ejected = ejectedOf(service, ejections);
  if (ejected.size === 0) return service;
  const backends = new Map<BackendKey, Backend>(service.backends);
  for (const [key, { reason }] of ejected) {
    const backend = backends.get(key);
    if (backend !== undefined) backends.set(key, { ...backend, weight: 0, reason: `ejected: ${reason}` });
  }
  return { ...service, backends };
}
