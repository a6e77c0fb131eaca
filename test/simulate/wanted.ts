/** What the kernel is to have, computed from nothing: sources' last words, the memory of names, what the host is like. */

import { familyOf } from '../../controller/address.ts';
import { DesiredState } from '../../controller/desired/desired-state.ts';
import type { TranslationRules } from '../../controller/desired/translation-rules.ts';
import { Inventory } from '../../controller/inventory/inventory.ts';
import type { BackendKey } from '../../controller/model/endpoint.ts';
import type { Table } from '../../controller/model/kernel.ts';
import type { NameMemory } from '../../controller/model/name-memory.ts';
import type { Service, ServiceKey } from '../../controller/model/service.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import { weigh } from '../../controller/plan/slow-start.ts';
import {
  type BackendSettings,
  backendFields,
  type ServiceSettings,
  serviceFields,
} from '../../controller/settings/settings.ts';
import { HOST_ADDRESS, HOST_ZONE, REFUSED_ADDRESS } from './cluster.ts';
import { LACKS_SCHEDULERS } from './kernel.ts';

/** Settings as `ipvsadm` has them. */
export interface WantedService {
  readonly settings: string;
  /** `10.0.0.1:31001` -> its settings. */
  readonly backends: Readonly<Record<string, string>>;
}

export type Wanted = ReadonlyMap<ServiceKey, WantedService>;

export function rebuild(
  snapshots: readonly Snapshot[],
  memory: NameMemory,
  rules: TranslationRules,
  unanswering: ReadonlyMap<string, number>,
): { readonly wanted: Wanted; readonly names: readonly string[] } {
  const state = new DesiredState(rules, Inventory.of(snapshots), memory);
  state.update({ complete: true, lacking: LACKS_SCHEDULERS });
  const wanted = new Map<ServiceKey, WantedService>();
  for (const [key, wants] of state.services) {
    const near = nearestOf(answering(wants, unanswering));
    // Who grows has grown by then.
    const service = near.slowStartSeconds === undefined ? near : weigh(near);
    const all = [...service.backends].filter(
      // A UDP client that goes on sending would keep a backend of weight 0 busy for ever.
      ([, { address, weight }]) =>
        address !== REFUSED_ADDRESS && !(service.protocol === 'udp' && weight === 0),
    );
    wanted.set(key, settingsOf(service, all));
  }
  return { wanted, names: [...state.memory.addresses.keys()].sort() };
}

/** Weight 0 for those that do not answer: half of those in rotation at most, the one that has failed for longest first. */
function answering(service: Service, since: ReadonlyMap<string, number>): Service {
  const inRotation = [...service.backends].filter(([, { weight }]) => weight > 0);
  const failing = inRotation.filter(([at, { eject }]) => since.has(at) && eject !== false);
  const first = failing.sort(([a], [b]) => (since.get(a) ?? 0) - (since.get(b) ?? 0) || (a < b ? -1 : 1));
  const ejected = new Set(first.slice(0, Math.floor(inRotation.length / 2)).map(([at]) => at));
  const backends = [...service.backends].map(
    ([at, backend]) => [at, ejected.has(at) ? { ...backend, weight: 0 } : backend] as const,
  );
  return { ...service, backends: new Map(backends) };
}

/** The backends of this host, or else of its zone, alone, where the VIP asks for that and one of them is in rotation. */
function nearestOf(service: Service): Service {
  const all = [...service.backends];
  const here = all.filter(([, { address }]) => address === HOST_ADDRESS);
  const zone = all.filter(([, { address, place }]) => address === HOST_ADDRESS || place?.zone === HOST_ZONE);
  const tiers = { PreferSameNode: [here, zone], PreferSameZone: [zone], Cluster: [] };
  const serves = (tier: typeof all) => tier.some(([, { weight }]) => weight > 0);
  const nearest = tiers[service.trafficDistribution ?? 'Cluster'].find(serves);
  return nearest === undefined ? service : { ...service, backends: new Map(nearest) };
}

function settingsOf(
  service: ServiceSettings & { readonly address: string },
  backends: readonly (readonly [BackendKey, BackendSettings])[],
): WantedService {
  const family = familyOf(service.address);
  const printed = backends.map(([at, backend]) => [at, backendFields.print(backend, family)] as const);
  return { settings: serviceFields.print(service, family), backends: Object.fromEntries(printed.sort()) };
}

/** One line for each service that is not as it is wanted; services of others are left out. */
export function differences(wanted: Wanted, table: Table, foreign: ReadonlySet<ServiceKey>): string[] {
  const found: string[] = [];
  for (const key of new Set([...wanted.keys(), ...table.keys()])) {
    if (foreign.has(key)) continue;
    const [want, have] = [wanted.get(key), table.get(key)];
    const is = have && settingsOf(have, [...have.backends]);
    if (JSON.stringify(is) !== JSON.stringify(want))
      found.push(`${key} is ${JSON.stringify(is) ?? 'absent'}, wanted ${JSON.stringify(want) ?? 'absent'}`);
  }
  return found;
}
