import { messageOf } from '../errors.ts';
import { ApiFailure } from '../kubernetes/api-failure.ts';
import type { Log } from '../ports.ts';
import { ForeignObject } from './foreign.ts';
import type { RelayObserver, WriteOp } from './metrics.ts';
import type { PublishedKind } from './published.ts';
import type { RelayedObject } from './relayed-app.ts';

/** Concurrent writes. An API server queues the requests of one client after some tens per second. */
const IN_FLIGHT = 8;
const MAX_LISTED = 5;

/** One write to the API server. */
export interface Write {
  readonly op: WriteOp;
  readonly name: string;
  readonly make: () => Promise<void>;
}

/** Returns a write for each wanted object that is not published as desired. */
export function applies(
  kind: PublishedKind,
  wanted: ReadonlyMap<string, RelayedObject>,
  signal: AbortSignal,
): Write[] {
  const others = kind.others(signal);
  return [...wanted.values()]
    .filter((object) => !kind.has(object))
    .map((object) => ({ op: 'apply', name: object.name, make: () => kind.apply(object, others, signal) }));
}

/** Returns a write that removes each of these objects. */
export function removals(kind: PublishedKind, names: readonly string[], signal: AbortSignal): Write[] {
  return names.map((name) => ({ op: 'delete', name, make: () => kind.remove(name, signal) }));
}

/**
 * Makes the writes, several at once. One that the server refuses does not stop the others. Resolves with the errors of those
 * that failed, by name.
 */
export async function makeAll(
  writes: readonly Write[],
  { log, observer }: { readonly log: Log; readonly observer: Pick<RelayObserver, 'wrote'> },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, unknown>> {
  const waiting = [...writes];
  const failed = new Map<string, unknown>();
  const work = async () => {
    for (let write = waiting.shift(); write !== undefined && !signal.aborted; write = waiting.shift()) {
      try {
        await write.make();
        observer.wrote(write.op, false);
      } catch (error) {
        failed.set(write.name, error);
        if (!signal.aborted) observer.wrote(write.op, true);
        // A few are enough: while the server is down every write fails.
        if (!signal.aborted && failed.size <= MAX_LISTED)
          log.warn('cannot publish', { write: `${write.op} ${write.name}`, error: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return failed;
}

/** Statuses that concern only the object of the request. Not 404: it is the namespace or the kind that is missing. */
const OF_ONE_OBJECT: ReadonlySet<number> = new Set([400, 409, 413, 422]);

/**
 * Returns the message of the first failure if all `made` writes failed for reasons that concern every object; otherwise null,
 * since one object that the server refuses says nothing about others.
 */
export function generalFailure(failed: ReadonlyMap<string, unknown>, made: number): string | null {
  const errors = [...failed.values()];
  const isOfOne = (error: unknown) =>
    error instanceof ForeignObject || (error instanceof ApiFailure && OF_ONE_OBJECT.has(error.status));
  const general = !errors.some(isOfOne);
  return made > 0 && errors.length === made && general ? messageOf(errors[0]) : null;
}
