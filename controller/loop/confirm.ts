import { createMerge } from '../desired/merge.ts';
import { messageOf } from '../errors.ts';
import type { BackendKey } from '../model.ts';
import type { AppSource, Clock, Log } from '../ports.ts';
import type { Planner } from './planner.ts';

export interface ConfirmPorts {
  readonly sources: readonly AppSource[];
  readonly clock: Clock;
  readonly log: Log;
}

/** After a source could not be read, it is asked again after this. */
const RETRY_MS = 10_000;

/**
 * Makes the function that, whenever backends have been held for long enough, reads all sources anew, beside the loop,
 * and says which of them are still missing. `then` is called after that. A source that cannot be read says nothing:
 * what is held stays held.
 */
export function createConfirmation(
  { sources, clock, log }: ConfirmPorts,
  planner: Planner,
  then: () => void,
  signal: AbortSignal,
): () => void {
  let asking = false;
  let notBefore = 0;

  const ask = async (due: ReadonlySet<BackendKey>): Promise<void> => {
    try {
      const snapshots = await Promise.all(sources.map((source) => source.read(signal)));
      const missing = planner.confirm(due, createMerge()(snapshots), clock.now());
      log.warn('mass removal: the sources were asked again', { held: due.size, stillMissing: missing });
      then();
    } catch (error) {
      if (signal.aborted) return;
      notBefore = clock.now() + RETRY_MS;
      log.warn('mass removal stays held: the sources cannot be asked again', { error: messageOf(error) });
    } finally {
      asking = false;
    }
  };

  return () => {
    const now = clock.now();
    if (asking || now < notBefore || signal.aborted) return;
    const due = planner.heldLongEnough(now);
    if (due.size === 0) return;
    asking = true;
    void ask(due);
  };
}
