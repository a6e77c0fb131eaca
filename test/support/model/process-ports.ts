/** The ports of a process in a story: each write is one that it may not live to make, and each is looked at. */

import type { NameMemory } from '../../../controller/model/name-memory.ts';
import { serviceKey } from '../../../controller/model/service.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { IpvsTable, Ledger, Names, Reachability, StateStore } from '../../../controller/ports.ts';
import type { AppSpec, SourceName } from './cluster.ts';
import type { Machine } from './machine.ts';
import type { Perils } from './perils.ts';
import type { PassContext } from './watch.ts';

export interface Surroundings {
  readonly machine: Machine;
  readonly perils: Perils;
  /** The pass under way. */
  context(): PassContext | null;
  /** What was heard last of a source, in the words of the story. */
  knows(source: SourceName): readonly AppSpec[];
  /** Whether the pass under way gets as far as the memory of names: reading the kernel, and dying, come before. */
  remembers(whether: boolean): void;
}

export function tablePort(table: IpvsTable, { machine, remembers }: Surroundings): IpvsTable {
  return {
    async observe(only) {
      remembers(false);
      const observed = await table.observe(only);
      remembers(true);
      // What is read of a few services tells no pass of the whole.
      if (only === undefined) machine.watch.kernelRead();
      return observed;
    },
    observeInBackground: (keep) => table.observeInBackground(keep),
    async apply(steps) {
      const words = steps.map(({ op, service }) => `${op} ${serviceKey(service)}`);
      if (words.length > 0) machine.note(`  kernel: ${words.join(', ')}`);
      return await table.apply(steps);
    },
    close: () => table.close(),
  };
}

export function ledgerPort({ machine, perils }: Surroundings): Ledger {
  const ledger = machine.ledger.open();
  return {
    async load() {
      machine.watch.ledgerLoaded();
      return await ledger.load();
    },
    async save(entries, changed) {
      perils.write();
      if (perils.mishap.ledgerFull === true) {
        machine.watch.ledgerRefused(new Set(entries.keys()));
        throw new Error('no space left on device');
      }
      await ledger.save(entries, changed);
      machine.note(`  ledger: ${[...entries.keys()].join(' ')}`);
      machine.watch.ledgerSaved(new Set(entries.keys()));
    },
  };
}

export function storePort({ machine, perils, context, knows, remembers }: Surroundings): StateStore {
  return {
    loadSource: async (source) => machine.snapshots.get(source) ?? null,
    async saveSource(source, _change, all) {
      const copy: Snapshot = JSON.parse(JSON.stringify(all()));
      const apps = knows(source as SourceName);
      machine.snapshots.set(source, { snapshot: copy, savedAt: machine.now, apps });
    },
    loadSerial: async () => null,
    saveSerial: async () => undefined,
    loadMemory: async () => machine.memory,
    async saveMemory(memory) {
      remembers(false);
      perils.write();
      remembers(true);
      const before = machine.memory;
      machine.memory = memory;
      machine.note(`  memory: ${describeMemory(memory)}`);
      machine.watch.memorySaved(before, memory, context()?.wanted().names ?? new Set());
    },
  };
}

export function reachabilityPort({ machine, perils }: Surroundings): Reachability {
  return {
    async ensure(addresses) {
      perils.write();
      if (perils.mishap.routesFail === true) throw new Error('the interface cannot be made');
      machine.watch.madeReachable(addresses);
      return { changed: [], problems: [], advice: [] };
    },
    repair: async () => [],
    exists: async () => [],
    remove: async () => [],
    close: () => undefined,
  };
}

export function namesPort({ machine, perils }: Surroundings): Names {
  const named = new Set<string>();
  return {
    publish(changes) {
      perils.write();
      for (const [key, service] of changes) {
        if (service === null) named.delete(key);
        else named.add(key);
      }
      machine.watch.named(new Set(named));
      return [];
    },
  };
}

function describeMemory({ addresses }: NameMemory): string {
  return [...addresses].map(([name, { ipv4, ipv6 }]) => `${name} ${ipv4} ${ipv6}`).join(', ');
}
