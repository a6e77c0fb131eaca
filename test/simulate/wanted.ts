/** What the kernel is to have, computed from nothing: sources' last words, the memory of names, what the host is like. */

import { DesiredState } from '../../controller/desired/desired-state.ts';
import type { TranslationRules } from '../../controller/desired/translation-rules.ts';
import { Inventory } from '../../controller/inventory/inventory.ts';
import type { Memory, ServiceKey, Snapshot, Table } from '../../controller/model.ts';
import { REFUSED_ADDRESS } from './cluster.ts';
import { LACKS_SCHEDULERS } from './kernel.ts';

export interface WantedService {
  readonly scheduler: string;
  readonly persistenceSeconds: number;
  /** `10.0.0.1:31001` -> weight. */
  readonly backends: Readonly<Record<string, number>>;
}

export type Wanted = ReadonlyMap<ServiceKey, WantedService>;

export function rebuild(
  snapshots: readonly Snapshot[],
  memory: Memory,
  rules: TranslationRules,
): { readonly wanted: Wanted; readonly names: readonly string[] } {
  const state = new DesiredState(rules, Inventory.of(snapshots), memory);
  state.update({ complete: true, lacking: LACKS_SCHEDULERS });
  const wanted = new Map<ServiceKey, WantedService>();
  for (const [key, { protocol, scheduler, persistenceSeconds, backends }] of state.services) {
    const all = [...backends.values()].filter(
      // A UDP client that goes on sending would keep a backend of weight 0 busy for ever.
      ({ address, weight }) => address !== REFUSED_ADDRESS && !(protocol === 'udp' && weight === 0),
    );
    const weights = all.map(({ address, port, weight }) => [`${address}:${port}`, weight] as const);
    wanted.set(key, { scheduler, persistenceSeconds, backends: Object.fromEntries(weights.sort()) });
  }
  return { wanted, names: [...state.memory.addresses.keys()].sort() };
}

/** One line for each service that is not as it is wanted; services of others are left out. */
export function differences(wanted: Wanted, table: Table, foreign: ReadonlySet<ServiceKey>): string[] {
  const found: string[] = [];
  for (const key of new Set([...wanted.keys(), ...table.keys()])) {
    if (foreign.has(key)) continue;
    const [want, have] = [wanted.get(key), table.get(key)];
    // Where the kernel takes none of its backends it may be there or not.
    if (want !== undefined && have === undefined && Object.keys(want.backends).length === 0) continue;
    const weights = [...(have?.backends ?? [])].map(([at, { weight }]) => [at, weight] as const);
    const is = have && {
      scheduler: have.scheduler,
      persistenceSeconds: have.persistenceSeconds,
      backends: Object.fromEntries(weights.sort()),
    };
    if (JSON.stringify(is) !== JSON.stringify(want))
      found.push(`${key} is ${JSON.stringify(is) ?? 'absent'}, wanted ${JSON.stringify(want) ?? 'absent'}`);
  }
  return found;
}
