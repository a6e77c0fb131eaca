import { messageOf } from '../errors.ts';
import type { Snapshot } from '../model.ts';
import type { Clock, Log, StateStore } from '../ports.ts';
import type { Sources } from './sources.ts';

export interface SavePorts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** The last good state of the sources is saved at most this often. */
const SAVE_MS = 5_000;

/** Keeps what the sources said on disk, beside the passes and never within one; once more when `signal` aborts. */
export async function saveRegularly(ports: SavePorts, sources: Sources, signal: AbortSignal): Promise<void> {
  const saved = new Map<string, Snapshot>();
  for (let last = false; !last; ) {
    await ports.clock.sleep(SAVE_MS, signal);
    last = signal.aborted;
    await saveChanged(ports, sources, saved);
  }
}

/** Saves what differs from what `saved` remembers, and remembers it. What cannot be saved is logged and tried again. */
export async function saveChanged(
  { store, log }: SavePorts,
  sources: Sources,
  saved: Map<string, Snapshot>,
): Promise<void> {
  for (const [name, snapshot] of sources.fresh()) {
    if (saved.get(name) === snapshot) continue;
    try {
      await store.saveSnapshot(name, snapshot);
      saved.set(name, snapshot);
    } catch (error) {
      log.warn('last good state could not be saved', { source: name, error: messageOf(error) });
    }
  }
}
