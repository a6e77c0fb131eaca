import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService, Step } from '../model/kernel.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { NO_BACKEND, serviceFields } from '../settings/settings.ts';

/**
 * Applies steps to a table, which is what a pass knows of the kernel until the next read. A changed service is replaced by
 * a new object, so references to the old one stay valid.
 */
export function applySteps(table: Map<ServiceKey, ObservedService>, steps: readonly Step[]): void {
  const fresh = new Set<ObservedService>();

  function open(step: Step): { service: ObservedService; backends: Map<BackendKey, ObservedBackend> } {
    const key = serviceKey(step.service);
    const known = table.get(key);
    if (known !== undefined && fresh.has(known))
      return { service: known, backends: known.backends as Map<BackendKey, ObservedBackend> };
    const backends = new Map(known?.backends);
    const service: ObservedService =
      known === undefined ? { ...serviceFields.unset, ...step.service, backends } : { ...known, backends };
    fresh.add(service);
    table.set(key, service);
    return { service, backends };
  }

  for (const step of steps) {
    switch (step.op) {
      case 'add-service':
      case 'update-service': {
        const { service, backends } = open(step);
        fresh.delete(service);
        const written: ObservedService = { ...service, ...step.service, backends };
        fresh.add(written);
        table.set(serviceKey(step.service), written);
        break;
      }
      case 'remove-service':
        table.delete(serviceKey(step.service));
        break;
      case 'add-backend':
      case 'update-backend': {
        const { backends } = open(step);
        const key = endpointKey(step.backend);
        backends.set(key, { ...NO_BACKEND, ...backends.get(key), ...step.backend });
        break;
      }
      case 'remove-backend':
        open(step).backends.delete(endpointKey(step.backend));
        break;
    }
  }
}
