import { copyOf } from '../map-copy.ts';
import {
  type Backend,
  type BackendKey,
  type Family,
  type NamedAddresses,
  type Service,
  type ServiceKey,
  serviceKey,
} from '../model.ts';
import { same } from '../same.ts';
import type { Claim } from './claim.ts';
import { preferred } from './drafts.ts';
import type { Roster } from './roster.ts';

/** One VIP over one protocol: the claims of all apps that ask for it, and the services that come of them. */
interface Group {
  readonly claims: readonly Claim[];
  readonly addresses: NamedAddresses;
  readonly services: ReadonlyMap<ServiceKey, Service>;
  readonly warnings: readonly string[];
}

type Claimed = Pick<Roster, 'claims' | 'order' | 'touched'>;
type Addresses = ReadonlyMap<string, NamedAddresses>;
type Services = ReadonlyMap<ServiceKey, Service>;

/** In parts. */
type Regroup = (claimed: Claimed, addresses: Addresses) => Generator<undefined, Regrouped>;

interface Regrouped {
  readonly services: Services;
  readonly warnings: readonly string[];
}

/**
 * Makes the function from claims to services, one for each family in which a VIP has backends and an address, in
 * the order of the VIPs. What is as it was the last time is the same object again.
 */
export function createRegrouping(): Regroup {
  let groups = new Map<string, Group>();
  let last: Regrouped & { readonly order?: Roster['order']; readonly addresses?: Addresses } = {
    services: new Map(),
    warnings: [],
  };

  /** Puts others in the place of a few services; null where that does not do, since services come or go. */
  function* exchange(
    { claims, touched }: Claimed,
    addresses: Addresses,
  ): Generator<undefined, Services | null> {
    const services = copyOf(last.services);
    for (const key of touched) {
      const before = groups.get(key);
      const group = groupOf(claims.get(key) ?? [], addresses, before);
      if (before === undefined || !takesThePlaceOf(before, group)) return null;
      groups.set(key, group);
      for (const [id, service] of group.services) services.set(id, service);
      yield;
    }
    return services;
  }

  function* anew({ claims, order, touched }: Claimed, addresses: Addresses): Generator<undefined, Regrouped> {
    const moved = addresses !== last.addresses;
    const now = new Map<string, Group>();
    const services = new Map<ServiceKey, Service>();
    const warnings: string[] = [];
    for (const key of order) {
      let group = groups.get(key);
      if (group === undefined || moved || touched.has(key)) {
        group = groupOf(claims.get(key) ?? [], addresses, group);
        yield;
      }
      now.set(key, group);
      for (const [id, service] of group.services) services.set(id, service);
      warnings.push(...group.warnings);
    }
    groups = now;
    return { services, warnings };
  }

  return function* (claimed, addresses) {
    const { order } = claimed;
    const alike = order === last.order && addresses === last.addresses;
    const services = alike ? yield* exchange(claimed, addresses) : null;
    const result =
      services === null ? yield* anew(claimed, addresses) : { services, warnings: last.warnings };
    last = { ...result, order, addresses };
    return result;
  };
}

/** Whether only the services themselves differ. */
function takesThePlaceOf(before: Group, now: Group): boolean {
  if (before.warnings.length > 0 || now.warnings.length > 0) return false;
  if (before.services.size !== now.services.size) return false;
  for (const id of now.services.keys()) if (!before.services.has(id)) return false;
  return true;
}

function addressesOf(
  [claim]: readonly Claim[],
  addresses: ReadonlyMap<string, NamedAddresses>,
): NamedAddresses {
  const { address, named } = claim?.target ?? {};
  if (address) return { [address.family]: address.text };
  return (named ? addresses.get(named.fullName) : undefined) ?? NO_ADDRESSES;
}

const NO_ADDRESSES: NamedAddresses = {};
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

function groupOf(claims: readonly Claim[], of: Addresses, previous: Group | undefined): Group {
  const addresses = addressesOf(claims, of);
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
  return all;
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

/** The service as it was, where nothing differs. */
function reuse(before: Service, now: Service): Service {
  const { backends: had, ...was } = before;
  const { backends: has, ...is } = now;
  let alike = had.size === has.size && same(was, is);
  // Claims keep backends that did not change, to the object.
  for (const [key, backend] of has) alike &&= had.get(key) === backend;
  return alike ? before : now;
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
