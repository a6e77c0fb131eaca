import { messageOf } from '../errors.ts';
import type { AppSource, Clock, Log, Observer } from '../ports.ts';
import type { Sources } from './sources.ts';

export interface FollowPorts {
  readonly observer: Observer;
  readonly clock: Clock;
  readonly log: Log;
}

/** The same complaint is made again only after this long. */
const REPEAT_MS = 60_000;

/**
 * Follows one source until `signal` aborts, and tells `sources` of each good read. Calls `changed` with the time
 * at which a change was learnt of, and not where a read found the source as it was. The log tells when the source fails, why, and when it is read again.
 */
export function follow(
  source: AppSource,
  sources: Sources,
  { observer, clock, log }: FollowPorts,
  changed: (since: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { name } = source;
  let complaint: { readonly message: string; readonly at: number } | null = null;
  let known = false;

  return source.follow(
    {
      changed(delta) {
        const { apps, isChanged } = sources.read(name, delta);
        if (complaint !== null || !known) log.info('source read', { source: name, apps });
        complaint = null;
        known = true;
        if (isChanged) changed(delta.learnedAt);
      },
      failed(error) {
        const message = messageOf(error);
        if (complaint?.message !== message || clock.monotonic() - complaint.at >= REPEAT_MS) {
          log.warn('source failed: its last good state stays', { source: name, error: message });
          complaint = { message, at: clock.monotonic() };
        }
        observer.sourceFailed(name, error);
      },
    },
    signal,
  );
}
