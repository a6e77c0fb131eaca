import { type App, type RowKey, rowOf } from '../model.ts';
import type { SavedApps } from '../ports.ts';

/**
 * What was saved of a source, for its first read: what that cannot read is what it was before the start, and not gone. Later reads
 * have what the source itself gave before.
 *
 * What was saved is loaded where something cannot be read, and forgotten with `forget`.
 */
export class LastGood {
  readonly #source: string;
  readonly #saved: SavedApps;
  #rows: ReadonlyMap<RowKey, App> | null = null;
  #isOver = false;

  /** `source`: its name. */
  constructor(source: string, saved: SavedApps = async () => []) {
    this.#source = source;
    this.#saved = saved;
  }

  /** To be called where something cannot be read, before `find`. Never rejects. */
  async load(): Promise<void> {
    if (this.#isOver || this.#rows !== null) return;
    this.#rows = new Map((await this.#saved(this.#source)).map((app) => [rowOf(app), app]));
  }

  /** undefined: nothing was saved, or not loaded. */
  find(row: RowKey): App | undefined {
    return this.#rows?.get(row);
  }

  /** All that was loaded. */
  get apps(): Iterable<App> {
    return this.#rows?.values() ?? [];
  }

  /** The source was read once: from now on it has a last good state of its own. */
  forget(): void {
    this.#isOver = true;
    this.#rows = null;
  }
}
