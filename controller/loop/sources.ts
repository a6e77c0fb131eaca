import { createMerge } from '../desired/merge.ts';
import type { Snapshot } from '../model.ts';
import type { AppSource, Observer, StateStore } from '../ports.ts';

/** What all sources together say. */
export interface Merged {
  readonly snapshot: Snapshot;
  /**
   * Every source has been read completely since the start. Without that (the last good state of one comes from
   * disk) nothing may be taken away.
   */
  readonly complete: boolean;
}

interface Word {
  readonly snapshot: Snapshot;
  readonly origin: 'source' | 'disk';
}

/** Keeps the last good word of each source. */
export class Sources {
  readonly #words = new Map<string, Word>();
  readonly #merge = createMerge();
  readonly #sources: readonly AppSource[];
  readonly #observer: Observer;

  constructor(sources: readonly AppSource[], observer: Observer) {
    this.#sources = sources;
    this.#observer = observer;
  }

  /** Takes what each source said before a restart, where it has not been read since. */
  async restore(store: StateStore): Promise<void> {
    for (const { name } of this.#sources) {
      const stored = await store.loadSnapshot(name);
      if (stored === null || this.#words.has(name)) continue;
      this.#words.set(name, { snapshot: stored.snapshot, origin: 'disk' });
      const apps = stored.snapshot.apps.length;
      this.#observer.sourceRead(name, { apps, complete: true, fromDiskOf: stored.savedAt });
    }
  }

  /** A source was read well. Before its first complete read a partial one says too little to be used. */
  heard(name: string, snapshot: Snapshot, complete: boolean): void {
    if (!complete && this.#words.get(name)?.origin !== 'source') return;
    this.#words.set(name, { snapshot, origin: 'source' });
    this.#observer.sourceRead(name, { apps: snapshot.apps.length, complete, fromDiskOf: null });
  }

  /** null until every source has said something, now or before the restart: no pass may run on less. */
  merged(): Merged | null {
    const words = this.#sources.map(({ name }) => this.#words.get(name));
    if (!words.every((word) => word !== undefined)) return null;
    const complete = words.every(({ origin }) => origin === 'source');
    return { snapshot: this.#merge(words.map(({ snapshot }) => snapshot)), complete };
  }

  /** What each source said by itself, for the disk; what came from there is left out. */
  *fresh(): Generator<readonly [source: string, snapshot: Snapshot]> {
    for (const [name, { snapshot, origin }] of this.#words) if (origin === 'source') yield [name, snapshot];
  }
}
