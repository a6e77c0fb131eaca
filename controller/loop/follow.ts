import { messageOf } from '../errors.ts';
import type { AppSource, Clock, Log, Observer } from '../ports.ts';
import type { Sources } from './sources.ts';

export interface FollowPorts {
  readonly observer: Observer;
  readonly clock: Clock;
  readonly log: Log;
}

/** The same failure is logged again only after this long. */
const REPEAT_MS = 60_000;

/**
 * Follows one source until `signal` aborts, and passes each successful read to `sources`. Calls `changed` after a read that found
 * changes, with the time at which the controller learnt of them. Logs when the source fails, why, and when it is read again.
 */
export function follow(
  source: AppSource,
  sources: Sources,
  { observer, clock, log }: FollowPorts,
  changed: (since: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { name } = source;
  let logged: { readonly message: string; readonly at: number } | null = null;
  let known = false;

  return source.follow(
    {
      changed(delta) {
        const { apps, isChanged } = sources.read(name, delta);
        if (logged !== null || !known) log.info('source read', { source: name, apps });
        logged = null;
        known = true;
        if (isChanged) changed(delta.learnedAt);
      },
      failed(error) {
        const message = messageOf(error);
        if (logged?.message !== message || clock.monotonic() - logged.at >= REPEAT_MS) {
          log.warn('source failed: its last good state stays', { source: name, error: message });
          logged = { message, at: clock.monotonic() };
        }
        observer.sourceFailed(name, error);
      },
    },
    signal,
  );
}
