/** Which backends of a service are near this host, tier by tier, and which tier counts. */

import type { Backend, BackendKey, Service } from '../model.ts';
import { type Place, placesAgree, type Tier } from '../place.ts';

/** Where this host stands, and by what it is known. */
export interface HostPlace extends Place {
  /** Its addresses, as backends have them. */
  readonly addresses: ReadonlySet<string>;
}

type Distribution = NonNullable<Service['trafficDistribution']>;

/**
 * The tiers of each distribution, the nearest first. Node, zone and all are those of kube-proxy (KEP-3015). Kubernetes' endpoints
 * have no region; where Mesos tells one, another region may be another continent, so it comes last.
 */
const TIERS: Readonly<Record<Distribution, readonly Tier[]>> = {
  PreferSameZone: ['zone', 'region', 'all'],
  PreferSameNode: ['node', 'zone', 'region', 'all'],
};

/** A service of which only the nearest backends are to get connections. */
export type NearService = Service & { readonly trafficDistribution: Distribution };

/** Whether it is one. */
export function wantsNear(service: Service | undefined): service is NearService {
  return service?.trafficDistribution !== undefined;
}

/** The tiers of a service in which a backend is in rotation, the nearest first; `all` is always one of them. */
export function tiersInRotation(service: NearService, host: HostPlace): readonly Tier[] {
  return TIERS[service.trafficDistribution].filter((tier) => tier === 'all' || serves(service, tier, host));
}

/** The backends of a tier; `backends` itself where it has all of them. */
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
 * Whether this host's own place, and that of a backend, are known as far as the service's distribution needs them. What runs on
 * this host is known by its address.
 */
export function whyUndecided(service: NearService, host: HostPlace): 'host' | 'backends' | null {
  if (service.trafficDistribution === 'PreferSameNode') return null;
  if (host.zone === undefined) return 'host';
  for (const { place } of service.backends.values()) if (place?.zone !== undefined) return null;
  return 'backends';
}

/** Whether a backend that served in a tier serves still, now that the tier has none: it stands elsewhere, as sources tell. */
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
