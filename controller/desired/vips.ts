/** The VIPs that apps claim, and the services that follow from their claims. */

import { FAMILIES, type Family } from '../address.ts';
import { same } from '../compare.ts';
import { KeyIndex } from '../inventory/key-index.ts';
import type { Declared } from '../model/desired.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { NamedAddresses } from '../model/name-memory.ts';
import { type Backend, type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { optionsText, type PortOptions, sharedOptionsThatDiffer } from '../settings/label-options.ts';
import { serviceFields } from '../settings/settings.ts';
import { slowStartOf } from '../settings/slow-start.ts';
import type { Pause } from '../time.ts';
import { preferred } from './backends.ts';
import type { Claim } from './claims.ts';

/** Notified when the first VIP of a name or address appears, and when the last one is gone. */
export interface VipListener {
  nameAdded(fullName: string): void;
  nameRemoved(fullName: string): void;
  /** Called once for each VIP at the address. */
  addressTaken(address: string): void;
  addressReleased(address: string): void;
}

/** One VIP over one protocol: its claims, and the services that they give. */
interface Vip {
  /** Of all apps, ordered by place. */
  claims: readonly Claim[];
  services: ReadonlyMap<ServiceKey, Service>;
}

/** The claimed VIPs by key, and their services. `update` computes those whose claims or addresses changed. */
export class VipTable {
  readonly #listener: VipListener;
  readonly #vips = new Map<string, Vip>();
  /** Keys of VIPs by name (`label.framework`). */
  readonly #byName = new KeyIndex();
  readonly #services = new Map<ServiceKey, Service>();
  readonly #withoutService = new Map<string, readonly Declared[]>();
  readonly #due = new Set<string>();
  /** The VIPs that the current `update` has not reached yet, in reverse order. */
  #order: string[] = [];
  #touched = new Set<ServiceKey>();

  constructor(listener: VipListener) {
    this.#listener = listener;
  }

  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#services;
  }

  /** VIPs without a service, with every declaration. */
  get withoutService(): ReadonlyMap<string, readonly Declared[]> {
    return this.#withoutService;
  }

  /** Warnings about apps that share a VIP and disagree on its settings. */
  warnings(): readonly string[] {
    return [...this.#vips.values()].flatMap(({ claims }) => differences(claims));
  }

  has(key: string): boolean {
    return this.#vips.has(key);
  }

  hasName(fullName: string): boolean {
    return this.#byName.has(fullName);
  }

  /** Replaces the claims of one app. */
  exchange(before: readonly Claim[], now: readonly Claim[]): void {
    const left = new Map(before.map((claim) => [claim.key, claim]));
    for (const claim of now) {
      this.#replace(claim, left.get(claim.key), claim);
      left.delete(claim.key);
    }
    for (const claim of left.values()) this.#replace(claim, claim, null);
  }

  /** The addresses of a name changed. */
  move(fullName: string): void {
    for (const key of this.#byName.find(fullName)) this.#due.add(key);
  }

  /** Computes the services of VIPs that changed. True when done; false when `pause` interrupted it: call it again. */
  update(addresses: ReadonlyMap<string, NamedAddresses>, pause: Pause): boolean {
    if (this.#order.length === 0) this.#order = [...this.#due].sort().reverse();
    this.#due.clear();
    for (let key = this.#order.pop(); key !== undefined; key = this.#order.pop())
      if (pause(this.#updateVip(key, addresses)) && this.#order.length > 0) return false;
    return true;
  }

  /** The services that were added, removed or changed since the last call. */
  takeTouched(): ReadonlySet<ServiceKey> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  #replace({ key, target }: Claim, before: Claim | undefined, now: Claim | null): void {
    this.#due.add(key);
    const vip = this.#vips.get(key);
    const wasDeclared = vip !== undefined && vip.claims.length > 0;
    const others = (vip?.claims ?? []).filter((claim) => claim !== before);
    const claims = now === null ? others : [...others, now].toSorted(byPlace);
    if (vip === undefined) this.#vips.set(key, { claims, services: new Map() });
    else vip.claims = claims;
    if (!wasDeclared && claims.length > 0) this.#declared(key, target);
    if (wasDeclared && claims.length === 0) this.#undeclared(key, target);
  }

  #declared(key: string, { named, address }: Claim['target']): void {
    if (address !== null) this.#listener.addressTaken(address.text);
    if (named === null) return;
    const isNew = !this.#byName.has(named.fullName);
    this.#byName.add(named.fullName, key);
    if (isNew) this.#listener.nameAdded(named.fullName);
  }

  #undeclared(key: string, { named, address }: Claim['target']): void {
    if (address !== null) this.#listener.addressReleased(address.text);
    if (named === null) return;
    this.#byName.delete(named.fullName, key);
    if (!this.#byName.has(named.fullName)) this.#listener.nameRemoved(named.fullName);
  }

  /** Returns its cost. */
  #updateVip(key: string, addresses: ReadonlyMap<string, NamedAddresses>): number {
    const vip = this.#vips.get(key);
    if (vip === undefined) return 0;
    const { claims, services: before } = vip;
    const name = claims[0]?.target.named?.fullName;
    const services = new Map(servicesOf(claims, name === undefined ? undefined : addresses.get(name)));
    let cost = 1;
    // Another VIP may have got this address in the meantime.
    for (const [id, service] of before)
      if (!services.has(id) && this.#services.get(id) === service) this.#put(id, undefined);
    for (const [id, service] of services) {
      cost += service.backends.size;
      const had = before.get(id);
      if (had !== undefined && this.#services.get(id) === had && isSame(had, service)) services.set(id, had);
      else this.#put(id, service);
    }
    vip.services = services;
    this.#note(key, vip);
    return cost;
  }

  #put(id: ServiceKey, service: Service | undefined): void {
    if (service === undefined) this.#services.delete(id);
    else this.#services.set(id, service);
    this.#touched.add(id);
  }

  #note(key: string, { claims, services }: Vip): void {
    if (claims.length === 0) this.#vips.delete(key);
    if (claims.length === 0 || services.size > 0) this.#withoutService.delete(key);
    else
      this.#withoutService.set(
        key,
        claims.map(({ declared }) => declared),
      );
  }
}

function byPlace(a: Claim, b: Claim): number {
  if (a.place === b.place) return 0;
  return a.place < b.place ? -1 : 1;
}

function isSame({ backends: had, ...was }: Service, { backends: has, ...is }: Service): boolean {
  return had.size === has.size && same(was, is) && sameBackends(had, has);
}

function sameBackends(had: ReadonlyMap<BackendKey, Backend>, has: ReadonlyMap<BackendKey, Backend>): boolean {
  for (const [key, backend] of has) if (!same(had.get(key), backend)) return false;
  return true;
}

/**
 * The services of one VIP: one for each address family in which it has backends and an address. `claims`: those of all
 * apps, ordered by place; the first decides the shared settings (scheduler, persistence). `ofName`: the addresses assigned
 * to the name; an IP VIP has its own.
 */
function servicesOf(
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

const NONE: readonly string[] = [];

/** Warns where apps that share a VIP ask for different settings: the kernel has one value for a service. */
function differences(claims: readonly Claim[]): readonly string[] {
  const [first, ...others] = claims;
  if (first === undefined || others.length === 0) return NONE;
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
