import { endpointsOf } from '../inventory/task-index.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { SavedApps } from '../ports.ts';

/**
 * The endpoints of tasks in the saved states of sources. A backend there has an app that was read before the start, so it
 * does not belong to a part of a source that has never been readable.
 */
export class SavedEndpoints {
  readonly #keys = new Set<BackendKey>();

  /** Returns `load`, which also records the endpoints of the tasks that it loads. */
  recording(load: SavedApps): SavedApps {
    return async (source) => {
      const state = await load(source);
      for (const { tasks } of state?.apps ?? [])
        for (const { ports } of tasks)
          for (const port of ports) for (const endpoint of endpointsOf(port)) this.#keys.add(endpoint);
      return state;
    };
  }

  /** Whether a task had this endpoint; false if the saved state of its source was not loaded. */
  has(endpoint: BackendKey): boolean {
    return this.#keys.has(endpoint);
  }
}
