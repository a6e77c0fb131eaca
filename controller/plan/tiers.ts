/** Which backends of a service are in which tier, seen from this host. */

import type { BackendKey } from '../model/endpoint.ts';
import { type Place, placesAgree, type Tier } from '../model/place.ts';
import type { Backend, Service } from '../model/service.ts';

/** The place of this host, and its addresses. */
export interface HostPlace extends Place {
  /** In the form that backends have. */
  readonly addresses: ReadonlySet<string>;
}

type Distribution = NonNullable<Service['trafficDistribution']>;

/**
 * The tiers of each distribution, the nearest first. Node, zone and all are those of kube-proxy (KEP-3015). The region, which
 * only Mesos reports, is an addition: another region may be another continent, so it is the last resort.
 */
const TIERS: Readonly<Record<Distribution, readonly Tier[]>> = {
  PreferSameZone: ['zone', 'region', 'all'],
  PreferSameNode: ['node', 'zone', 'region', 'all'],
};

/** A service that wants only its nearest backends. */
export type NearService = Service & { readonly trafficDistribution: Distribution };

/** Whether a service wants only its nearest backends. */
export function wantsNear(service: Service | undefined): service is NearService {
  return service?.trafficDistribution !== undefined;
}

/** The tiers with a backend in rotation, the nearest first; always includes `all`. */
export function tiersInRotation(service: NearService, host: HostPlace): readonly Tier[] {
  return TIERS[service.trafficDistribution].filter((tier) => tier === 'all' || serves(service, tier, host));
}

/** The backends of a tier; the same object as `backends` when it has all. */
export function backendsIn(
  tier: Tier,
  { backends }: Pick<Service, 'backends'>,
  host: HostPlace,
): ReadonlyMap<BackendKey, Backend> {
  if (tier === 'all') return backends;
  const near = new Map<BackendKey, Backend>();
  for (const [key, backend] of backends) if (isIn(tier, backend, host)) near.set(key, backend);
  return near.size === backends.size ? backends : near;
}

/**
 * Which unknown place keeps the service from a decision: this host's zone, or the zones of all backends; null when none does.
 * PreferSameNode needs no zone: backends on this host are known by their addresses.
 */
export function whyUndecided(service: NearService, host: HostPlace): 'host' | 'backends' | null {
  if (service.trafficDistribution === 'PreferSameNode') return null;
  if (host.zone === undefined) return 'host';
  for (const { place } of service.backends.values()) if (place?.zone !== undefined) return null;
  return 'backends';
}

/** Whether a backend that served in a tier still serves, although the tier has none: the sources now report another place. */
export function serveElsewhere(tier: Tier, before: Service, now: Service, host: HostPlace): boolean {
  for (const [key, { weight }] of backendsIn(tier, before, host))
    if (weight > 0 && (now.backends.get(key)?.weight ?? 0) > 0) return true;
  return false;
}

function serves({ backends }: Service, tier: Tier, host: HostPlace): boolean {
  for (const backend of backends.values()) if (backend.weight > 0 && isIn(tier, backend, host)) return true;
  return false;
}

function isIn(tier: Tier, backend: Backend, host: HostPlace): boolean {
  const { place } = backend;
  switch (tier) {
    case 'all':
      return true;
    case 'node':
      return isHere(backend, host);
    case 'zone':
      return host.zone !== undefined && (placesAgree(place, host, 'zone') || isHere(backend, host));
    case 'region':
      return host.region !== undefined && (placesAgree(place, host, 'region') || isIn('zone', backend, host));
  }
}

function isHere({ agent, hostPort, address, place }: Backend, host: HostPlace): boolean {
  if (host.node !== undefined && place?.node === host.node) return true;
  return host.addresses.has(agent ?? hostPort?.address ?? address);
}
