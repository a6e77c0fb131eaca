import { endpointsOf } from '../inventory/task-index.ts';
import { type App, type AppKey, appKey } from '../model/app.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { UnknownPart } from '../model/snapshot.ts';
import type { SavedApps } from '../ports.ts';

/** The endpoints of tasks in the saved states of sources, and what was unknown then. */
export class SavedEndpoints {
  readonly #load: SavedApps;
  readonly #apps = new Map<BackendKey, AppKey>();
  readonly #unknown = new Set<string>();

  constructor(load: SavedApps) {
    this.#load = load;
  }

  /** Loads the saved state of a source, and records its endpoints. */
  readonly load: SavedApps = async (source) => {
    const state = await this.#load(source);
    for (const { part } of state?.unknown ?? []) this.#unknown.add(part);
    for (const app of state?.apps ?? []) this.#record(app);
    return state;
  };

  /** Records the saved endpoints of these sources. */
  async record(sources: readonly string[]): Promise<void> {
    await Promise.all(sources.map((source) => this.load(source)));
  }

  /** The app whose saved task had this endpoint; undefined if none had, or if the saved state of its source was not loaded. */
  appAt(endpoint: BackendKey): AppKey | undefined {
    return this.#apps.get(endpoint);
  }

  /** Whether all of these parts were unknown when the state was saved. Then none of them is an app that was saved. */
  wereUnknown(parts: readonly UnknownPart[]): boolean {
    return parts.every(({ part }) => this.#unknown.has(part));
  }

  #record(app: App): void {
    const key = appKey(app);
    for (const { ports } of app.tasks)
      for (const port of ports) for (const endpoint of endpointsOf(port)) this.#apps.set(endpoint, key);
    if (app.unknown !== undefined) this.#unknown.add(app.id);
  }
}
