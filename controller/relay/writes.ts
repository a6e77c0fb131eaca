import { messageOf } from '../errors.ts';
import { ApiFailure } from '../kubernetes/api-failure.ts';
import type { Throttle } from '../kubernetes/throttle.ts';
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

/** How long the writes of one call wait for a busy server in all. The rest of them then fail, and the next round makes them. */
const MAX_THROTTLED_MS = 60_000;

/** What writes report to, and what delays them. */
export interface WriteTools {
  readonly log: Log;
  readonly observer: Pick<RelayObserver, 'wrote' | 'moved'>;
  /** The same one for all rounds of a term. */
  readonly throttle: Throttle;
}

/**
 * Makes the writes, several at once. One that the server refuses does not stop the others; one that it postpones (429, 503) is
 * made once more after the others, and all wait as long as it asks. Resolves with the errors of those that failed, by name.
 */
export async function makeAll(
  writes: readonly Write[],
  { log, observer, throttle }: WriteTools,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, unknown>> {
  const waiting = [...writes];
  const failed = new Map<string, unknown>();
  const postponed = new Set<Write>();
  let patienceMs = MAX_THROTTLED_MS;
  /** Why the remaining writes are not made in this round. */
  let gaveUp: unknown = null;
  const postpones = (write: Write, error: unknown): boolean => {
    const before = throttle.remainingMs;
    if (!throttle.record(error)) return false;
    patienceMs -= throttle.remainingMs - before;
    if (patienceMs <= 0) gaveUp ??= error;
    if (gaveUp !== null || postponed.has(write)) return false;
    postponed.add(write);
    waiting.push(write);
    return true;
  };
  const fail = ({ op, name }: Write, error: unknown): void => {
    failed.set(name, error);
    if (signal.aborted) return;
    observer.wrote(op, true);
    // A few are enough: while the server is down every write fails.
    if (failed.size <= MAX_LISTED)
      log.warn('cannot publish', { write: `${op} ${name}`, error: messageOf(error) });
  };
  const makeOne = async (write: Write): Promise<void> => {
    await throttle.wait(signal);
    if (signal.aborted) return;
    try {
      await write.make();
      observer.wrote(write.op, false);
    } catch (error) {
      if (signal.aborted || !postpones(write, error)) fail(write, error);
    }
    // A round of thousands of writes takes minutes. Only in one that hangs do no writes end.
    observer.moved();
  };
  const work = async () => {
    for (let write = waiting.shift(); write !== undefined && !signal.aborted; write = waiting.shift()) {
      if (gaveUp === null) await makeOne(write);
      else fail(write, gaveUp);
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
