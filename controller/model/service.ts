/** IPVS services and backends as they are desired. */

import type { Family } from '../address.ts';
import type { TrafficDistribution } from '../settings/label-options.ts';
import type { BackendSettings, ServiceSettings } from '../settings/settings.ts';
import { type BackendKey, type Endpoint, endpointKey, type Protocol } from './endpoint.ts';
import type { Place, Tier } from './place.ts';

/** Identifies a service in a network namespace: `tcp/10.96.4.7:80`, `udp/[fd00::7]:53`. */
export type ServiceKey = string;

/** What identifies a service in a step, whether it is desired or observed. */
export interface ServiceAddress {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

/** A desired IPVS service: a VIP of one address family with at least one backend. */
export interface Service extends ServiceSettings {
  readonly protocol: Protocol;
  readonly family: Family;
  readonly address: string;
  readonly port: number;
  /** Cleaned DNS form of the label and of the framework; null for an IP VIP. */
  readonly name: string | null;
  readonly framework: string | null;
  /** `my-service.marathon.l4lb.thisdcos.directory`; null for an IP VIP. */
  readonly fqdn: string | null;
  /** Ids of the apps that declare it, sorted. */
  readonly apps: readonly string[];
  /** How long a backend that comes into rotation grows to its weight; absent without slow start. */
  readonly slowStartSeconds?: number;
  readonly backends: ReadonlyMap<BackendKey, Backend>;
  /** Set when only the nearest backends get connections. */
  readonly trafficDistribution?: Exclude<TrafficDistribution, 'Cluster'>;
  /** Set once the nearest backends have been chosen. */
  readonly nearness?: Nearness;
}

/** The nearest backends of a service, and all. */
export interface Nearness {
  /** The tier that the service's backends were chosen from. */
  readonly tier: Tier;
  /** The backends of all tiers. */
  readonly all: ReadonlyMap<BackendKey, Backend>;
}

/** A service as DNS needs it. */
export type NamedService = Pick<Service, 'fqdn' | 'protocol' | 'address' | 'port'>;

export interface Backend extends Endpoint, BackendSettings {
  /**
   * The endpoint that other hosts use, when it differs: this host runs the container and reaches it directly.
   */
  readonly hostPort?: Endpoint;
  /** Address of the host that it runs on; absent when unknown, or the same as its own or that of `hostPort`. */
  readonly agent?: string;
  /** The place of that host; absent when unknown. */
  readonly place?: Place;
  /** Set when the backend must never be ejected. */
  readonly eject?: false;
  readonly app: string;
  readonly task: string;
  /** Why it has this weight, as text: `running, no health check`. */
  readonly reason: string;
  /** How long its connections may go on once it leaves. */
  readonly drainSeconds: number;
}

/** The key of a service, in maps, logs, metrics and the ledger alike. */
export function serviceKey(service: ServiceAddress): ServiceKey {
  return [service.protocol, endpointKey(service)].join('/');
}
