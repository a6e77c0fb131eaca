import type { Family } from '../address.ts';
import { type Backend, type BackendKey, type Service, type ServiceKey, serviceKey } from '../model.ts';
import type { NamedAddresses } from '../name-memory.ts';
import { optionsText, type PortOptions, sharedOptionsThatDiffer } from '../settings/label-options.ts';
import { serviceFields } from '../settings/settings.ts';
import { slowStartOf } from '../settings/slow-start.ts';
import { preferred } from './backends.ts';
import type { Claim } from './claims.ts';

/**
 * The services of one VIP: one for each address family in which it has backends and an address. `claims`: those of all
 * apps, ordered by place; the first decides the shared settings (scheduler, persistence). `ofName`: the addresses assigned
 * to the name; an IP VIP has its own.
 */
export function servicesOf(
  claims: readonly Claim[],
  ofName: NamedAddresses | undefined,
): ReadonlyMap<ServiceKey, Service> {
  const services = new Map<ServiceKey, Service>();
  const [first] = claims;
  if (first === undefined) return services;
  const { address: own } = first.target;
  for (const family of FAMILIES) {
    const address = own === null ? ofName?.[family] : own.family === family ? own.text : undefined;
    const backends = backendsOf(first, claims, family);
    if (address === undefined || backends.size === 0) continue;
    const service = toService(first, claims, family, address, backends);
    services.set(serviceKey(service), service);
  }
  return services;
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** Warns where apps that share a VIP ask for different settings: the kernel has one value for a service. */
export function differences(claims: readonly Claim[]): readonly string[] {
  const [first, ...others] = claims;
  if (first === undefined) return [];
  return others.flatMap(({ declared, key, options }) => {
    const differ = sharedOptionsThatDiffer(options, first.options);
    if (differ.length === 0) return [];
    const decides = `${first.declared.app} decides: ${optionsText(differ, first.options)}`;
    return [
      `${declared.app} ${declared.at}: ${key} has ${optionsText(differ, options)} here, but ${decides}`,
    ];
  });
}

function backendsOf(
  first: Claim,
  claims: readonly Claim[],
  family: Family,
): ReadonlyMap<BackendKey, Backend> {
  if (claims.length === 1) return first.backends[family];
  const all = new Map<BackendKey, Backend>();
  for (const claim of claims) {
    for (const [key, backend] of claim.backends[family]) {
      const other = all.get(key);
      all.set(key, other === undefined ? backend : preferred(other, backend));
    }
  }
  return all;
}

function toService(
  { protocol, target, options }: Claim,
  claims: readonly Claim[],
  family: Family,
  address: string,
  backends: ReadonlyMap<BackendKey, Backend>,
): Service {
  const slowStartSeconds = slowStartOf({ ...options, weight: heaviest(options, backends) });
  const { trafficDistribution } = options;
  return {
    protocol,
    family,
    address,
    port: target.port,
    name: target.named?.name ?? null,
    framework: target.named?.framework ?? null,
    fqdn: target.named?.fqdn ?? null,
    ...serviceFields.of(options, family),
    ...(trafficDistribution !== 'Cluster' && { trafficDistribution }),
    apps: [...new Set(claims.map(({ declared }) => declared.app))],
    ...(slowStartSeconds > 0 && { slowStartSeconds }),
    backends,
  };
}

/** The greatest weight of all backends: each must be small enough for slow start to scale. */
function heaviest(
  { slowStartSeconds, weight }: PortOptions,
  backends: ReadonlyMap<BackendKey, Backend>,
): number {
  let most = weight;
  if (slowStartSeconds > 0) for (const backend of backends.values()) most = Math.max(most, backend.weight);
  return most;
}
