import { messageOf } from '../errors.ts';
import type { Clock, Log, StateStore } from '../ports.ts';
import type { Sources } from './sources.ts';

export interface SavePorts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** The minimum interval between two saves, apart from the first one of a source. */
const SAVE_MS = 5_000;

/**
 * Saves the last good state of the sources in the background: what a source reports first at once, since a restart before it
 * is saved may find the source broken; and once more when `signal` aborts.
 */
export async function saveRegularly(ports: SavePorts, sources: Sources, signal: AbortSignal): Promise<void> {
  for (let last = false; !last; ) {
    await sources.firstReads.wait(SAVE_MS, ports.clock, signal);
    sources.firstReads.take();
    last = signal.aborted;
    await saveChanged(ports, sources);
  }
}

/** Saves the changes of the sources since the last call. A failure is logged, and retried with the next call. */
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
