import type { Inventory } from '../inventory/inventory.ts';
import type { App, Snapshot } from '../model.ts';
import type { NamedEnd } from '../plan/let-go.ts';
import type { AppSource, Observer, StateStore } from '../ports.ts';

/** What sources said by name: where tasks ended or serve a VIP no more, and which apps are gone. */
export interface NamedEnds {
  readonly endpoints: readonly NamedEnd[];
  readonly apps: readonly App[];
}

interface LastRead {
  readonly snapshot: Snapshot;
  readonly from: 'source' | 'disk';
}

/** Brings what sources say into the inventory, and knows how much of it was read since the start. */
export class Sources {
  readonly #reads = new Map<string, LastRead>();
  #endpoints: NamedEnd[] = [];
  #apps: App[] = [];
  readonly #sources: readonly AppSource[];
  readonly #observer: Observer;
  readonly #inventory: Inventory;

  constructor(sources: readonly AppSource[], observer: Observer, inventory: Inventory) {
    this.#sources = sources;
    this.#observer = observer;
    this.#inventory = inventory;
    for (const { name } of sources) inventory.addSource(name);
  }

  /** Takes what each source said before a restart, where it has not been read since. */
  async restore(store: StateStore): Promise<void> {
    for (const { name } of this.#sources) {
      const stored = await store.loadSource(name);
      if (stored === null || this.#reads.has(name)) continue;
      this.#reads.set(name, { snapshot: stored.snapshot, from: 'disk' });
      this.#inventory.list(name, stored.snapshot);
      const apps = stored.snapshot.apps.length;
      this.#observer.sourceRead(name, { apps, complete: true, fromDiskOf: stored.savedAt });
    }
  }

  /** A source was read well. Before its first complete read a partial one says too little to be used. */
  read(name: string, snapshot: Snapshot, complete: boolean): void {
    const before = this.#reads.get(name);
    if (!complete && before?.from !== 'source') return;
    const { endpoints, apps } = this.#inventory.list(name, snapshot, complete);
    this.#endpoints.push(...endpoints.map((endpoint) => ({ endpoint, source: name })));
    this.#apps.push(...apps);
    this.#reads.set(name, { snapshot, from: 'source' });
    this.#observer.sourceRead(name, { apps: snapshot.apps.length, complete, fromDiskOf: null });
  }

  /** What sources said by name since this was last asked. */
  takeEnded(): NamedEnds {
    const ended = { endpoints: this.#endpoints, apps: this.#apps };
    this.#endpoints = [];
    this.#apps = [];
    return ended;
  }

  /** Whether every source has said something, now or before the restart: no pass may run on less. */
  get known(): boolean {
    return this.#sources.every(({ name }) => this.#reads.has(name));
  }

  /**
   * Whether every source has been read completely since the start. Without that (the last good state of one comes from
   * disk) nothing may be taken away.
   */
  get complete(): boolean {
    return this.#sources.every(({ name }) => this.#reads.get(name)?.from === 'source');
  }

  /** What each source said by itself, for the disk; what came from there is left out. */
  *fresh(): Generator<readonly [source: string, snapshot: Snapshot]> {
    for (const [name, { snapshot, from }] of this.#reads) if (from === 'source') yield [name, snapshot];
  }
}
