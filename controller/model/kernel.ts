/** What the kernel's table has, and the writes to it. */

import type { BackendSettings, ServiceSettings } from '../settings/settings.ts';
import type { BackendKey, Endpoint } from './endpoint.ts';
import type { ServiceAddress, ServiceKey } from './service.ts';

export interface ObservedService extends ServiceSettings {
  /** Includes protocols that our VIPs cannot have (`sctp`), since other programs' services are observed too. */
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly backends: ReadonlyMap<BackendKey, ObservedBackend>;
}

export interface ObservedBackend extends Endpoint, BackendSettings {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
}

/** The kernel's table at one moment. Services by firewall mark have no address and are never owned; they are left out. */
export type Table = ReadonlyMap<ServiceKey, ObservedService>;

/** One write to the kernel's table. */
export type Step =
  | { readonly op: 'add-service' | 'update-service'; readonly service: ServiceAddress & ServiceSettings }
  | { readonly op: 'remove-service'; readonly service: ServiceAddress }
  | {
      readonly op: 'add-backend' | 'update-backend';
      readonly service: ServiceAddress;
      readonly backend: Endpoint & BackendSettings;
    }
  | { readonly op: 'remove-backend'; readonly service: ServiceAddress; readonly backend: Endpoint };
