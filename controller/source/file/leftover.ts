import { type App, type AppKey, appKey } from '../../model.ts';
import type { LastGood } from '../last-good.ts';
import type { FileContent } from './content.ts';
import type { Files } from './files.ts';

/** Stands for the file, after all others by name. */
const PLACE = '\uffff';

/**
 * The apps of files that could not be read since the start. Which app was from which file is not saved: what no other file gives
 * may be from one of these, and stays as it was saved until all of them can be read, or are gone.
 */
export class Leftover {
  readonly #lastGood: LastGood;
  /** null: not looked for yet. */
  #saved: ReadonlyMap<AppKey, App> | null = null;

  constructor(lastGood: LastGood) {
    this.#lastGood = lastGood;
  }

  /** Puts among the files what is left, after a look at them. */
  async update(files: Files): Promise<void> {
    if (files.hasUnknown) this.#saved ??= await this.#load();
    else if (this.#saved !== null) this.#saved = NONE;
    const left = [...(this.#saved ?? NONE)].filter(([key]) => !files.isGiven(key, PLACE));
    files.set(PLACE, left.length === 0 ? null : { ...EMPTY, apps: new Map(left) });
  }

  /** Whether this is a path of `paths` that is no file. */
  static isPlace(path: string): boolean {
    return path === PLACE;
  }

  async #load(): Promise<ReadonlyMap<AppKey, App>> {
    await this.#lastGood.load();
    return new Map([...this.#lastGood.apps].map((app) => [appKey(app), app]));
  }
}

const NONE: ReadonlyMap<AppKey, App> = new Map();
const EMPTY: Omit<FileContent, 'apps'> = { rejected: [], agents: new Map(), stamp: '' };
