import { messageOf } from '../errors.ts';
import type { Clock, Log, StateStore } from '../ports.ts';
import type { Sources } from './sources.ts';

export interface SavePorts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** The last good state of the sources is saved at most this often. */
const SAVE_MS = 5_000;

/** Keeps what the sources said on disk, in the background; once more when `signal` aborts. */
export async function saveRegularly(ports: SavePorts, sources: Sources, signal: AbortSignal): Promise<void> {
  for (let last = false; !last; ) {
    await ports.clock.sleep(SAVE_MS, signal);
    last = signal.aborted;
    await saveChanged(ports, sources);
  }
}

/** Saves what sources said since it was last called. What cannot be saved is logged and tried again. */
export async function saveChanged({ store, log }: Omit<SavePorts, 'clock'>, sources: Sources): Promise<void> {
  for (const unsaved of sources.takeUnsaved()) {
    const { source, change, all } = unsaved;
    try {
      await store.saveSource(source, change, all);
    } catch (error) {
      sources.notSaved(unsaved);
      log.warn('last good state could not be saved', { source, error: messageOf(error) });
    }
  }
}
