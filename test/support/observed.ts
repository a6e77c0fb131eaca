import {
  type Backend,
  type BackendKey,
  type Desired,
  endpointKey,
  type ObservedBackend,
  type ObservedService,
  type Service,
  type ServiceKey,
  serviceKey,
  type Table,
} from '../../controller/model.ts';
import { nothingRemembered } from './builders.ts';

/** A backend as the kernel has it once it is as desired, without connections. */
export function observedBackend(
  { address, port, weight, forward }: Pick<Backend, 'address' | 'port' | 'weight' | 'forward'>,
  what: Partial<ObservedBackend> = {},
): ObservedBackend {
  const unused = { upperThreshold: 0, lowerThreshold: 0, activeConnections: 0, inactiveConnections: 0 };
  return { address, port, weight, forward, ...unused, ...what };
}

/** A service as the kernel has it once it is as desired. */
export function observedService(service: Service, what: Partial<ObservedService> = {}): ObservedService {
  const { protocol, address, port, scheduler, persistenceSeconds, family } = service;
  const backends = new Map<BackendKey, ObservedBackend>();
  for (const backend of service.backends.values())
    backends.set(endpointKey(backend), observedBackend(backend));
  const persistencePrefix = family === 'ipv4' ? 32 : 128;
  return {
    protocol,
    address,
    port,
    scheduler,
    flags: 0,
    persistenceSeconds,
    persistencePrefix,
    backends,
    ...what,
  };
}

export function tableOf(...services: readonly ObservedService[]): Table {
  return new Map(services.map((service) => [serviceKey(service), service]));
}

/** What `desired/` would hand on, with these services and nothing else. */
export function desiredOf(...services: readonly Service[]): Desired {
  const byKey = new Map<ServiceKey, Service>(services.map((service) => [serviceKey(service), service]));
  return {
    services: byKey,
    declares: () => false,
    unserved: new Map(),
    declared: [],
    rejected: [],
    warnings: [],
    memory: nothingRemembered,
  };
}
