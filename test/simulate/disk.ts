/** A disk in memory, as text: what was written outlives the controller, and each write is one at which it may die. */

import type { NameMemory } from '../../controller/model/name-memory.ts';
import type { Ledger, LedgerEntry, StateStore, StoredSnapshot } from '../../controller/ports.ts';
import { afterSave } from '../support/ledger-changes.ts';
import type { Life } from './life.ts';
import type { DiskState } from './story.ts';

export class Disk {
  readonly files = new Map<string, string>();
  #state: DiskState = 'well';
  #waiting: (() => void)[] = [];

  get state(): DiskState {
    return this.#state;
  }

  set state(state: DiskState) {
    this.#state = state;
    if (state === 'hanging') return;
    for (const go of this.#waiting.splice(0)) go();
  }

  async #answers(): Promise<void> {
    while (this.#state === 'hanging') await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async replace(life: Life, path: string, text: string): Promise<void> {
    await this.#answers();
    if (this.#state === 'full') throw new Error('no space left on device');
    if (life.write()) this.files.set(path, text);
    await life.unlessDead();
  }

  ledgerKeys(): readonly string[] {
    return [...this.#ledger().keys()];
  }

  #ledger(): ReadonlyMap<string, LedgerEntry> {
    return new Map(this.#read<[string, LedgerEntry][]>('ledger', []));
  }

  memory(): NameMemory {
    const { addresses, labels } = this.#read<StoredMemory>('memory', { addresses: [], labels: [] });
    return { addresses: new Map(addresses), labels: new Map(labels) };
  }

  ledger(life: Life): Ledger {
    return {
      load: async () => ({ entries: this.#ledger() }),
      save: (entries, changed) =>
        this.replace(life, 'ledger', JSON.stringify([...afterSave(this.#ledger(), entries, changed)])),
    };
  }

  store(life: Life, epoch: () => number): StateStore {
    return {
      loadSource: async (source) => {
        await this.#answers();
        return this.#read<StoredSnapshot | null>(source, null);
      },
      saveSource: (source, _change, all) =>
        this.replace(life, source, JSON.stringify({ snapshot: all(), savedAt: epoch() })),
      loadMemory: async () => {
        await this.#answers();
        return this.memory();
      },
      saveMemory: ({ addresses, labels }) =>
        this.replace(life, 'memory', JSON.stringify({ addresses: [...addresses], labels: [...labels] })),
      loadSerial: async () => {
        await this.#answers();
        return this.#read<number | null>('serial', null);
      },
      saveSerial: (serial) => this.replace(life, 'serial', String(serial)),
    };
  }

  #read<Content>(path: string, missing: Content): Content {
    const text = this.files.get(path);
    return text === undefined ? missing : JSON.parse(text);
  }
}

interface StoredMemory {
  readonly addresses: [string, { ipv4?: string; ipv6?: string }][];
  readonly labels: [string, string][];
}
