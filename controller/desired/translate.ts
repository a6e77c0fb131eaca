import type {
  App,
  Desired,
  Family,
  Memory,
  NamedAddresses,
  Rejection,
  Service,
  ServiceKey,
  Snapshot,
} from '../model.ts';
import { createAllocator } from './allocate.ts';
import { createClaimsMemo } from './app-memo.ts';
import type { Claim } from './claims.ts';
import { collect, type Findings } from './findings.ts';
import { cleanName } from './names.ts';
import type { Pools } from './pool.ts';
import { DEFAULT_PORT_OPTIONS, type PortOptions } from './port-options.ts';
import { createRefusals, type RealAddresses } from './refusals.ts';
import { type Group, groupOf } from './services.ts';

/** What the operator decides. */
export interface TranslationRules {
  /** `l4lb.thisdcos.directory`; cleaned like a name. */
  readonly zone: string;
  readonly pools: Pools;
  /**
   * Why an IP VIP may not have an address: it is this host's, a name server's, … Asked anew in every call. When
   * missing, none is refused on that account; agents' addresses and names' addresses are refused in any case.
   */
  readonly realAddresses?: RealAddresses;
  /** For ports without `IPVS_*` labels; wlc, not persistent, weight 1, 300 s when missing. */
  readonly defaults?: PortOptions;
}

/** Follows from the snapshot and the memory alone, whatever was translated before, and not from the order of apps. */
export type Translate = (snapshot: Snapshot, memory: Memory) => Desired;

/**
 * Makes the stage from apps to desired services.
 *
 * It remembers its work by identity: an `App` that is the same object as before is not read again, and a `Service`
 * about which nothing changed is the same object in the next result. Also `Desired.memory` is the memory that was
 * given when there is nothing new to remember.
 *
 * Throws when the zone has no letter or digit.
 */
export function createTranslator(rules: TranslationRules): Translate {
  const zone = cleanName(rules.zone);
  if (zone === null) throw new Error(`the zone "${rules.zone}" cannot be a DNS name`);
  const namedFamilies: readonly Family[] = FAMILIES.filter((family) => rules.pools[family] !== null);
  const claimsOf = createClaimsMemo({
    zone,
    namedFamilies,
    defaults: rules.defaults ?? DEFAULT_PORT_OPTIONS,
  });
  const startRefusals = createRefusals(rules.pools, rules.realAddresses ?? (() => null));
  const allocate = createAllocator(rules.pools);
  let groups: ReadonlyMap<string, Group> = new Map();
  let order: readonly string[] = [];

  return (snapshot, memory) => {
    const apps = inOrder(snapshot.apps);
    const found = withoutStaleHolders(memory.addresses, (addresses) => {
      const { refusal, blockers } = startRefusals(apps, addresses);
      const remembered = (key: string): string | undefined => memory.labels.get(key);
      const claims = apps.map((app) => claimsOf(app, { refusal, remembered }));
      return { findings: collect(claims), blockers };
    });

    const allocation = allocate(found.names, memory.addresses, found.ipVips);
    order = inSameOrder(order, found.claims) ? order : [...found.claims.keys()].sort();
    groups = regroup(order, found.claims, allocation.addresses, groups);

    const services = new Map<ServiceKey, Service>();
    const warnings = [...snapshot.warnings, ...found.warnings, ...allocation.warnings];
    for (const group of groups.values()) {
      for (const [key, service] of group.services) services.set(key, service);
      warnings.push(...group.warnings);
    }
    return {
      services,
      declared: found.declared,
      rejected: [...snapshot.rejected, ...found.rejected].sort(byPlace),
      warnings: [...new Set(warnings)].sort(),
      memory: remember(memory, allocation.addresses, found.labels),
    };
  };
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const NO_ADDRESSES: NamedAddresses = {};

/** By id, and for apps of several frameworks by framework; without work when they are in order already. */
function inOrder(apps: readonly App[]): readonly App[] {
  const before = (a: App, b: App): number => compare(a.id, b.id) || compare(a.framework, b.framework);
  for (const [i, app] of apps.entries()) {
    const next = apps[i + 1];
    if (next !== undefined && before(app, next) > 0) return apps.toSorted(before);
  }
  return apps;
}

function byPlace(a: Rejection, b: Rejection): number {
  return (
    compare(a.app, b.app) || compare(a.at, b.at) || compare(a.value, b.value) || compare(a.reason, b.reason)
  );
}

/** By code units: the same on every host, whatever its locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Collects with names holding the addresses that they had, and again if one of them that stood in an IP VIP's way
 * is not declared any more.
 */
function withoutStaleHolders(
  remembered: ReadonlyMap<string, NamedAddresses>,
  collectWith: (addresses: ReadonlyMap<string, NamedAddresses>) => {
    readonly findings: Findings;
    readonly blockers: ReadonlySet<string>;
  },
): Findings {
  let addresses = remembered;
  for (;;) {
    const { findings, blockers } = collectWith(addresses);
    const stale = new Set([...blockers].filter((name) => !findings.names.has(name)));
    if (stale.size === 0) return findings;
    addresses = new Map([...addresses].filter(([name]) => !stale.has(name)));
  }
}

function inSameOrder(order: readonly string[], claims: ReadonlyMap<string, unknown>): boolean {
  return order.length === claims.size && order.every((key) => claims.has(key));
}

function regroup(
  order: readonly string[],
  claims: ReadonlyMap<string, readonly Claim[]>,
  addresses: ReadonlyMap<string, NamedAddresses>,
  previous: ReadonlyMap<string, Group>,
): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const key of order) {
    const members = claims.get(key) ?? [];
    groups.set(key, groupOf(members, addressesOf(members, addresses), previous.get(key)));
  }
  return groups;
}

function addressesOf(
  [claim]: readonly Claim[],
  addresses: ReadonlyMap<string, NamedAddresses>,
): NamedAddresses {
  if (claim === undefined) return NO_ADDRESSES;
  const { address, named } = claim.target;
  if (address !== null) return { [address.family]: address.text };
  return (named === null ? undefined : addresses.get(named.fullName)) ?? NO_ADDRESSES;
}

/** What to remember: addresses of names that are declared, and each label's last valid text while the label is there. */
function remember(
  before: Memory,
  addresses: Memory['addresses'],
  present: ReadonlyMap<string, string | null>,
): Memory {
  const labels = new Map<string, string>();
  for (const [key, valid] of present) {
    const text = valid ?? before.labels.get(key);
    if (text !== undefined) labels.set(key, text);
  }
  const same =
    labels.size === before.labels.size && [...labels].every(([key, text]) => before.labels.get(key) === text);
  if (same && addresses === before.addresses) return before;
  return { addresses, labels: same ? before.labels : labels };
}
