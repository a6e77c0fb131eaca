import {
  type Backend,
  type BackendKey,
  type Family,
  type NamedAddresses,
  type Service,
  type ServiceKey,
  serviceKey,
} from '../model.ts';
import { type Claim, preferred, sorted } from './claims.ts';

/** One VIP over one protocol: the claims of all apps that ask for it, and the services that come of them. */
export interface Group {
  readonly claims: readonly Claim[];
  readonly addresses: NamedAddresses;
  readonly services: ReadonlyMap<ServiceKey, Service>;
  readonly warnings: readonly string[];
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/**
 * Makes the services of one VIP, one for each family that has backends and an address.
 *
 * `claims` are sorted by app. What is as it was in `previous` is the same object again.
 */
export function groupOf(
  claims: readonly Claim[],
  addresses: NamedAddresses,
  previous: Group | undefined,
): Group {
  if (previous !== undefined && sameClaims(previous, claims, addresses)) return previous;

  const services = new Map<ServiceKey, Service>();
  for (const family of FAMILIES) {
    const address = addresses[family];
    const backends = backendsOf(claims, family);
    if (address === undefined || backends.size === 0) continue;
    const service = toService(claims, family, address, backends);
    const key = serviceKey(service);
    const before = previous?.services.get(key);
    services.set(key, before === undefined ? service : reuse(before, service));
  }
  return { claims, addresses, services, warnings: differences(claims) };
}

function sameClaims(previous: Group, claims: readonly Claim[], addresses: NamedAddresses): boolean {
  return (
    previous.addresses.ipv4 === addresses.ipv4 &&
    previous.addresses.ipv6 === addresses.ipv6 &&
    previous.claims.length === claims.length &&
    previous.claims.every((claim, i) => claim === claims[i])
  );
}

function backendsOf(claims: readonly Claim[], family: Family): ReadonlyMap<BackendKey, Backend> {
  const [first, second] = claims;
  if (first !== undefined && second === undefined) return first.backends[family];

  const all = new Map<BackendKey, Backend>();
  for (const claim of claims) {
    for (const [key, backend] of claim.backends[family]) {
      const other = all.get(key);
      all.set(key, other === undefined ? backend : preferred(other, backend));
    }
  }
  return sorted(all);
}

function toService(
  claims: readonly Claim[],
  family: Family,
  address: string,
  backends: ReadonlyMap<BackendKey, Backend>,
): Service {
  const [first] = claims;
  if (first === undefined) throw new Error('a VIP without claims has no service');
  const { protocol, target, scheduler, persistenceSeconds } = first;
  return {
    protocol,
    family,
    address,
    port: target.port,
    name: target.named?.name ?? null,
    framework: target.named?.framework ?? null,
    fqdn: target.named?.fqdn ?? null,
    scheduler,
    persistenceSeconds,
    apps: [...new Set(claims.map(({ declared }) => declared.app))],
    backends,
  };
}

/** The service as it was, where nothing differs; else the new one with those of its backends that are as they were. */
function reuse(before: Service, now: Service): Service {
  const backends = new Map<BackendKey, Backend>();
  let same = before.backends.size === now.backends.size;
  for (const [key, backend] of now.backends) {
    const known = before.backends.get(key);
    const kept = known !== undefined && sameFields(known, backend);
    backends.set(key, kept ? known : backend);
    same &&= kept;
  }
  const { backends: _old, apps: oldApps, ...old } = before;
  const { backends: _new, apps: newApps, ...rest } = now;
  same &&=
    sameFields(old, rest) &&
    oldApps.length === newApps.length &&
    oldApps.every((app, i) => app === newApps[i]);
  return same ? before : { ...now, backends };
}

function sameFields<T extends object>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((field) => a[field] === b[field]);
}

/** The kernel has one scheduler and one persistence for a service, so apps that share it should agree. */
function differences(claims: readonly Claim[]): readonly string[] {
  const [first, ...others] = claims;
  if (first === undefined) return [];
  return others
    .filter((claim) => settings(claim) !== settings(first))
    .map(({ declared, ...claim }) => {
      const decides = `${first.declared.app} decides: ${settings(first)}`;
      return `${declared.app} ${declared.at}: ${claim.key} has ${settings(claim)} here, but ${decides}`;
    });
}

function settings({
  scheduler,
  persistenceSeconds,
}: Pick<Claim, 'scheduler' | 'persistenceSeconds'>): string {
  return `scheduler ${scheduler} and ${persistenceSeconds} s persistence`;
}
