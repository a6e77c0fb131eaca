import { type App, type AppKey, appKey } from '../../model/app.ts';
import type { LastGood } from '../last-good.ts';
import type { FileContent } from './content.ts';
import type { Files } from './files.ts';

/** Stands in for a file path; sorts after all real ones. */
const STAND_IN_PATH = '\uffff';

/**
 * Saved apps whose files have not been readable since the start.
 *
 * The saved state does not say which app was from which file. So any saved app that no readable file contains may
 * belong to an unreadable one: it stays until all files can be read, or are gone.
 */
export class Leftover {
  readonly #lastGood: LastGood;
  /** null until it is loaded. */
  #saved: ReadonlyMap<AppKey, App> | null = null;

  constructor(lastGood: LastGood) {
    this.#lastGood = lastGood;
  }

  /** Adds the apps that are left over to `files`. Call it after the files were read. */
  async update(files: Files): Promise<void> {
    if (files.hasUnknown) this.#saved ??= await this.#load();
    else if (this.#saved !== null) this.#saved = NONE;
    const left = [...(this.#saved ?? NONE)].filter(([key]) => !files.isInOther(key, STAND_IN_PATH));
    files.set(STAND_IN_PATH, left.length === 0 ? null : { ...EMPTY, apps: new Map(left) });
  }

  /** Whether this path is the stand-in and not a file. */
  static isStandIn(path: string): boolean {
    return path === STAND_IN_PATH;
  }

  async #load(): Promise<ReadonlyMap<AppKey, App>> {
    await this.#lastGood.load();
    return new Map([...this.#lastGood.apps].map((app) => [appKey(app), app]));
  }
}

const NONE: ReadonlyMap<AppKey, App> = new Map();
const EMPTY: Omit<FileContent, 'apps'> = { rejected: [], agents: new Map(), stamp: '' };
