import type { Change, DestinationId } from 'ipvs-netlink-ts';
import type { Meddling, OwnService } from './events.ts';

/** What another program found in the kernel to meddle with. */
export interface Target {
  readonly service: OwnService;
  /** One of its backends, where it has any. */
  readonly backend: DestinationId | null;
}

/** The writes of another program to a service of its own, or to what it found, where it found anything. */
export function meddlingChanges(how: Meddling, weight: number, target: Target | null): readonly Change[] {
  if (how.kind === 'own') return ownService(how.service, weight);
  if (target === null) return [];
  const { service, backend } = target;
  switch (how.kind) {
    case 'scheduler': {
      const persistence = { timeoutSeconds: 5 };
      return [{ op: 'update-service', service: { ...service, scheduler: 'rr', persistence } }];
    }
    case 'remove service':
      return [{ op: 'remove-service', service }];
    case 'add backend': {
      const address = service.address.includes(':') ? 'fd00:98::1' : '172.16.9.8';
      const added = { address, port: 80, weight, forwardingMethod: 'masquerade' } as const;
      return [{ op: 'add-destination', service, destination: added }];
    }
    case 'remove backend':
      return backend === null ? [] : [{ op: 'remove-destination', service, destination: backend }];
    case 'weight':
    case 'direct': {
      if (backend === null) return [];
      const forwardingMethod = how.kind === 'direct' ? 'direct-route' : 'masquerade';
      return [{ op: 'update-destination', service, destination: { ...backend, weight, forwardingMethod } }];
    }
  }
}

/** With everything that we would not write ourselves. */
function ownService(service: OwnService, weight: number): readonly Change[] {
  const address = service.address.includes(':') ? 'fd00:99::1' : '172.16.9.9';
  const method = { forwardingMethod: 'direct-route', upperThreshold: 100 } as const;
  return [
    { op: 'add-service', service: { ...service, scheduler: 'sh', persistence: { timeoutSeconds: 77 } } },
    { op: 'add-destination', service, destination: { address, port: service.port, weight, ...method } },
  ];
}
