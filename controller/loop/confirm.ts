import { messageOf } from '../errors.ts';
import { Inventory } from '../inventory/inventory.ts';
import type { AppSource, Clock, Log } from '../ports.ts';

export interface ConfirmationPorts {
  readonly sources: readonly AppSource[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Holds removals until the sources have been read again. */
export interface Holder<Due extends { readonly size: number }> {
  /** What has been held for long enough to read the sources again. */
  due(now: number): Due;
  /** Takes a new read of all sources. Returns how many of the due removals it confirms. */
  confirm(due: Due, inventory: Inventory, now: number): number;
}

/** Delay before sources are read again after a failure. */
const RETRY_MS = 10_000;

/**
 * Returns a function that reads all sources in the background when something has been held for long enough, and passes the
 * result to the holder; then it calls `then`. While a source cannot be read, everything stays held.
 */
export function createConfirmation<Due extends { readonly size: number }>(
  { sources, clock, log }: ConfirmationPorts,
  holder: Holder<Due>,
  then: () => void,
  signal: AbortSignal,
): () => void {
  let isReading = false;
  let notBefore = 0;

  const readAgain = async (due: Due): Promise<void> => {
    try {
      const snapshots = await Promise.all(sources.map((source) => source.read(signal)));
      const stillMissing = holder.confirm(due, await Inventory.inSlices(snapshots), clock.monotonic());
      log.warn('mass removal: the sources were read again', { held: due.size, stillMissing });
      then();
    } catch (error) {
      if (signal.aborted) return;
      notBefore = clock.monotonic() + RETRY_MS;
      log.warn('mass removal stays held: the sources cannot be read again', { error: messageOf(error) });
    } finally {
      isReading = false;
    }
  };

  return () => {
    const now = clock.monotonic();
    if (isReading || now < notBefore || signal.aborted) return;
    const due = holder.due(now);
    if (due.size === 0) return;
    isReading = true;
    void readAgain(due);
  };
}
