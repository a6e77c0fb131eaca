import type { NamedService, ServiceKey } from '../model/service.ts';
import type { NameChanges } from '../ports.ts';
import { type RecordTemplate, soaTemplate } from './encoding.ts';
import { NameTree, type Node, zoneOf } from './name-tree.ts';
import { type WireName, wireName } from './names.ts';
import { addressSets, apexSets, type Entry, pointerEntries, vipEntries } from './records.ts';
import { reverseZones } from './reverse.ts';

/** The names that this server knows. */
export interface NameIndex {
  /** The SOA record of each zone. */
  readonly zones: ReadonlyMap<WireName, RecordTemplate>;
  /** Every existing name, including empty non-terminals. */
  readonly nodes: ReadonlyMap<WireName, Node>;
}

export interface ZoneOptions {
  /**
   * Zones of VIP names, at least one. A VIP of the first zone has the same name in all others; the first zone also holds
   * the name server of all zones and the targets of reverse lookups.
   */
  readonly zones: readonly string[];
  /** Networks with reverse lookups: `11.0.0.0/8`, `fd01:c::/64`. */
  readonly pools: readonly string[];
  /** Addresses of this server. */
  readonly servers: readonly string[];
  readonly ttlSeconds: number;
}

/** The values of DC/OS; there are no secondary servers that would use them. */
const SOA_SECONDS = { refresh: 60, retry: 180, expire: 86_400 };
/** The value of DC/OS: short, since a missing name may exist soon. */
const NEGATIVE_TTL_SECONDS = 1;

/**
 * Keeps the names of services.
 *
 * The cost of an update is proportional to what changes; all records of ten thousand VIPs take half a second. Updates are
 * synchronous, so that no query sees half of one.
 */
export class NameTable implements NameIndex {
  readonly zones = new Map<WireName, RecordTemplate>();
  readonly nodes: ReadonlyMap<WireName, Node>;
  readonly #options: ZoneOptions;
  readonly #server: WireName;
  readonly #mailbox: WireName;
  readonly #tree: NameTree;
  readonly #services = new Map<ServiceKey, NamedService>();
  readonly #byName = new Map<string, Map<ServiceKey, NamedService>>();
  /** The names with records of a VIP, by the VIP's name. */
  readonly #owners = new Map<string, readonly WireName[]>();
  #serial: number | null = null;

  constructor(options: ZoneOptions) {
    const { zones, pools, servers, ttlSeconds } = options;
    this.#options = options;
    this.#server = named(`ns.${zones[0]}`);
    this.#mailbox = named(`hostmaster.${zones[0]}`);
    this.#tree = new NameTree([...zones, ...pools.flatMap(reverseZones)].map(named));
    this.nodes = this.#tree.nodes;
    for (const zone of this.nodes.keys()) this.zones.set(zone, { bytes: Buffer.alloc(0), pointers: [] });
    this.#tree.put(this.#server, addressSets(servers, ttlSeconds));
  }

  /**
   * Adds, replaces or (null) removes the names of services. `nextSerial` is called if that changes a zone, and the first time.
   */
  update(changes: NameChanges, nextSerial: () => number): void {
    const changed = this.#take(changes);
    if (changed.size === 0 && this.#serial !== null) return;
    // Removals come first: an address may move from one name to another.
    for (const fqdn of changed) this.#removeRecords(fqdn);
    for (const fqdn of changed) this.#addRecords(fqdn);
    this.#serial = nextSerial();
    for (const zone of this.zones.keys()) this.#describe(zone, this.#serial);
  }

  /** Updates the services; returns the names whose services have changed. */
  #take(changes: NameChanges): Set<string> {
    const changed = new Set<string>();
    for (const [key, service] of changes) {
      const before = this.#services.get(key)?.fqdn ?? null;
      if (before === (service?.fqdn ?? null)) continue;
      this.#services.delete(key);
      if (before === null) continue;
      this.#byName.get(before)?.delete(key);
      changed.add(before);
    }
    for (const [key, service] of changes) {
      const fqdn = service?.fqdn ?? null;
      if (service === null || fqdn === null || this.#services.has(key)) continue;
      this.#services.set(key, service);
      const same = this.#byName.get(fqdn);
      if (same === undefined) this.#byName.set(fqdn, new Map([[key, service]]));
      else same.set(key, service);
      changed.add(fqdn);
    }
    return changed;
  }

  #removeRecords(fqdn: string): void {
    for (const owner of this.#owners.get(fqdn) ?? []) this.#tree.remove(owner);
    this.#owners.delete(fqdn);
  }

  #addRecords(fqdn: string): void {
    const services = this.#byName.get(fqdn);
    if (services === undefined || services.size === 0) {
      this.#byName.delete(fqdn);
      return;
    }
    const { ttlSeconds } = this.#options;
    const entries: Entry[] = [];
    for (const each of this.#spellings(fqdn)) {
      const name = wireName(each);
      if (name === null || zoneOf(name, this.zones) === null) continue;
      // A VIP cannot replace a zone's own records or those of the name server.
      if (this.zones.has(name) || name === this.#server) continue;
      entries.push(...vipEntries(name, services.values(), ttlSeconds));
      if (each === fqdn) entries.push(...pointerEntries(name, services.values(), ttlSeconds));
    }
    for (const [owner, sets] of entries) this.#tree.put(owner, sets);
    this.#owners.set(
      fqdn,
      entries.map(([owner]) => owner),
    );
  }

  /** The name in all zones, starting with the given one. */
  #spellings(fqdn: string): readonly string[] {
    const [first, ...others] = this.#options.zones;
    if (!fqdn.endsWith(`.${first}`)) return [fqdn];
    const before = fqdn.slice(0, -(first?.length ?? 0));
    return [fqdn, ...others.map((zone) => `${before}${zone}`)];
  }

  #describe(zone: WireName, serial: number): void {
    const { servers, ttlSeconds } = this.#options;
    const soa = soaTemplate(zone, {
      primary: this.#server,
      mailbox: this.#mailbox,
      serial,
      ...SOA_SECONDS,
      negativeTtl: Math.min(ttlSeconds, NEGATIVE_TTL_SECONDS),
    });
    this.zones.set(zone, soa);
    const server = { name: this.#server, addresses: servers, ttl: ttlSeconds };
    this.#tree.put(zone, apexSets(zone, soa, server));
  }
}

/** Converts a name from the validated configuration. */
function named(text: string): WireName {
  const name = wireName(text);
  if (name === null) throw new Error(`not a DNS name: ${text}`);
  return name;
}
