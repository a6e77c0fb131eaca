import { targetKey, targetOf } from '../model/ejection.ts';
import { type BackendKey, endpointKey, type Protocol } from '../model/endpoint.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { Backends } from './backends.ts';
import type { VipTarget } from './watched.ts';

/** Maximum number of VIPs to search for backends of other agents: on a large host the first ones suffice. */
const MAX_VIPS_SEARCHED = 1_000;

/** The backends of the desired VIPs. */
export class VipBackends implements Backends {
  readonly #services: () => ReadonlyMap<ServiceKey, Service>;
  readonly #hostAddresses: () => ReadonlySet<string>;

  constructor(services: () => ReadonlyMap<ServiceKey, Service>, hostAddresses: () => ReadonlySet<string>) {
    this.#services = services;
    this.#hostAddresses = hostAddresses;
  }

  /** Whether to watch a service. A single backend is never ejected, so it is not watched. */
  isWatched(key: ServiceKey): boolean {
    const service = this.#services().get(key);
    return service !== undefined && service.backends.size > 1;
  }

  /** A backend of a service; null unless its sources want it in rotation and it may be ejected. */
  find(key: ServiceKey, backend: BackendKey): VipTarget | null {
    const service = this.#services().get(key);
    const found = service?.backends.get(backend);
    if (service === undefined || found === undefined || found.weight === 0 || found.eject === false)
      return null;
    return { service: key, target: targetOf(service.protocol, found) };
  }

  /** A backend of the first of these services for which `find` has it. */
  findInAny(keys: Iterable<ServiceKey>, backend: BackendKey): VipTarget | null {
    for (const key of keys) {
      const found = this.find(key, backend);
      if (found !== null) return found;
    }
    return null;
  }

  vipOf({ service: key, target }: VipTarget): ServiceKey | null {
    const services = this.#services();
    const endpoint = endpointKey(target);
    const isIn = (service: Service | undefined): boolean => {
      const backend = service?.protocol === target.protocol ? service.backends.get(endpoint) : undefined;
      return backend !== undefined && backend.task === target.task && backend.eject !== false;
    };
    if (isIn(services.get(key))) return key;
    for (const [other, service] of services) if (isIn(service)) return other;
    return null;
  }

  *onAgent(agent: string): Generator<VipTarget> {
    const seen = new Set<string>();
    for (const [key, { protocol, backends }] of this.#services()) {
      for (const [endpoint, backend] of backends) {
        const one =
          backend.address === agent || backend.hostPort?.address === agent || backend.agent === agent;
        if (!one || backend.weight === 0 || backend.eject === false) continue;
        const target = targetOf(protocol, backend);
        if (target.agent !== agent || seen.has(targetKey(protocol, endpoint))) continue;
        seen.add(target.key);
        yield { service: key, target };
      }
    }
  }

  onOtherAgents(wanted: Protocol, except: ReadonlySet<string>, max: number): readonly VipTarget[] {
    const found = new Map<string, VipTarget>();
    let searched = 0;
    for (const [key, { protocol, backends }] of this.#services()) {
      if (found.size >= max || searched >= MAX_VIPS_SEARCHED) break;
      searched += 1;
      if (protocol !== wanted) continue;
      for (const backend of backends.values()) {
        if (backend.weight === 0 || backend.eject === false) continue;
        const target = targetOf(protocol, backend);
        if (found.size < max && !except.has(target.agent) && !this.isThisHost(target.agent))
          found.set(target.agent, { service: key, target });
      }
    }
    return [...found.values()];
  }

  isThisHost(agent: string): boolean {
    return this.#hostAddresses().has(agent);
  }
}
