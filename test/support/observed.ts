import type { Desired } from '../../controller/model/desired.ts';
import { type BackendKey, type Endpoint, endpointKey } from '../../controller/model/endpoint.ts';
import type { ObservedBackend, ObservedService, Table } from '../../controller/model/kernel.ts';
import { type Service, type ServiceKey, serviceKey } from '../../controller/model/service.ts';
import { type BackendSettings, backendFields, serviceFields } from '../../controller/settings/settings.ts';
import { nothingRemembered } from './builders.ts';

/** A backend as the kernel has it once it is as desired, without connections. */
export function observedBackend(
  backend: Endpoint & BackendSettings,
  what: Partial<ObservedBackend> = {},
): ObservedBackend {
  const { address, port } = backend;
  const unused = { activeConnections: 0, inactiveConnections: 0 };
  return { address, port, ...backendFields.pick(backend), ...unused, ...what };
}

/** A service as the kernel has it once it is as desired. */
export function observedService(service: Service, what: Partial<ObservedService> = {}): ObservedService {
  const { protocol, address, port } = service;
  const backends = new Map<BackendKey, ObservedBackend>();
  for (const backend of service.backends.values())
    backends.set(endpointKey(backend), observedBackend(backend));
  return {
    protocol,
    address,
    port,
    ...serviceFields.pick(service),
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
    withoutService: new Map(),
    declared: [],
    rejected: [],
    warnings: [],
    memory: nothingRemembered,
    refused: new Map(),
  };
}
