import { type App, type RowKey, rowOf } from '../model/app.ts';
import type { SavedApps } from '../ports.ts';

/**
 * The saved state of a source, for its first read: parts that this read cannot use stay as they were before the restart. For
 * later reads the source has a last good state of its own.
 *
 * The state is loaded only if something cannot be read, and dropped by `forget`.
 */
export class LastGood {
  readonly #source: string;
  readonly #saved: SavedApps;
  #rows: ReadonlyMap<RowKey, App> | null = null;
  #state: Awaited<ReturnType<SavedApps>> = null;
  #isOver = false;

  /** `source` is the name of the source. */
  constructor(source: string, saved: SavedApps = async () => null) {
    this.#source = source;
    this.#saved = saved;
  }

  /** Loads the saved state. Call it before `find`, when something cannot be read. Never rejects. */
  async load(): Promise<void> {
    if (this.#isOver || this.#rows !== null) return;
    this.#state = await this.#saved(this.#source);
    this.#rows = new Map((this.#state?.apps ?? []).map((app) => [rowOf(app), app]));
  }

  /** Loads the saved state and returns it; null when nothing was saved, and after the first read. */
  readonly state: SavedApps = async () => {
    await this.load();
    return this.#state;
  };

  /** The saved row; undefined if it was not saved, or if nothing is loaded. */
  find(row: RowKey): App | undefined {
    return this.#rows?.get(row);
  }

  /** All loaded rows. */
  get apps(): Iterable<App> {
    return this.#rows?.values() ?? [];
  }

  /**
   * Whether nothing is known of a part that cannot be read and has no last good state. What was saved without it had no such
   * part.
   */
  isUnknown(part: string): boolean {
    return this.#state === null || this.#state.unknown?.some((each) => each.part === part) === true;
  }

  /** Call it after the first read: from then on the source has a last good state of its own. */
  forget(): void {
    this.#isOver = true;
    this.#rows = null;
    this.#state = null;
  }
}
