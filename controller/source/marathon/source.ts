import type { AppSource, Clock, Log, Resolver, SavedApps } from '../../ports.ts';
import { systemClock } from '../../time.ts';
import { LastGood } from '../last-good.ts';
import { createMarathonClient, type MarathonClientOptions } from './client.ts';
import { MarathonFollower } from './follower.ts';
import { MarathonReader, type ReaderCallbacks } from './reader.ts';

export interface MarathonSourceOptions extends Omit<MarathonClientOptions, 'clock'> {
  readonly resolver: Resolver;
  readonly log: Log;
  readonly clock?: Clock | undefined;
  /** Framework name for the VIP names. Defaults to that of `/v2/info`. */
  readonly framework?: string | undefined;
  /** How long after the last full read the next one is due, give or take a tenth. Defaults to 300 s. */
  readonly relistSeconds?: number | undefined;
  /**
   * An app that changes all the time is not read again before this long after its last read began: events that come meanwhile
   * are gathered. After quiet it is a fifth of that at first. Defaults to 50 ms.
   */
  readonly restMs?: number | undefined;
  /** How many apps are read at once. Defaults to 4. */
  readonly inFlight?: number | undefined;
  /** More affected apps than this, and than a quarter of all, are read as one full list. Defaults to 50. */
  readonly maxDirty?: number | undefined;
  /** How long health results that vanished (a leader change) count on. Defaults to 60 s. */
  readonly healthHoldSeconds?: number | undefined;
  /** Full reads that many hosts make for the same reason are spread over this time. Defaults to 1 s. */
  readonly spreadMs?: number | undefined;
  /** An event stream without a byte for so long is dead. Defaults to 60 s. */
  readonly eventSilenceMs?: number | undefined;
  /** What was saved of it: what the first read cannot read is what it was then. */
  readonly saved?: SavedApps | undefined;
  /** Numbers in [0, 1) for jitter. */
  readonly random?: (() => number) | undefined;
}

/**
 * Apps and pods of one Marathon, followed by its event stream.
 *
 * An event re-reads only the app that it names, since hundreds of hosts do the same; everything is read at
 * the start, after every (re)connect and every few minutes. Throws (`ControllerError` code `usage`) when
 * `where` is no list of URLs.
 */
export function createMarathonSource(options: MarathonSourceOptions): AppSource {
  const { clock = systemClock, resolver, log, framework, inFlight = 4, healthHoldSeconds = 60 } = options;
  const client = createMarathonClient({ ...options, clock });
  const name = `marathon=${client.name}`;
  const createReader = (callbacks: ReaderCallbacks) =>
    new MarathonReader({
      client,
      clock,
      resolver,
      framework,
      inFlight,
      healthHoldMs: healthHoldSeconds * 1000,
      lastGood: new LastGood(name, options.saved),
      ...callbacks,
    });

  return {
    name,
    get servers() {
      return client.servers;
    },
    async read(signal) {
      const partFailed = (error: Error) =>
        log.warn('a part of Marathon could not be read', { source: name, err: error });
      const reader = createReader({ revisit: () => undefined, partFailed });
      await reader.readAll(clock.monotonic(), signal);
      return reader.feed.snapshot;
    },
    follow(listener, signal) {
      return new MarathonFollower({
        client,
        clock,
        listener,
        createReader,
        inFlight,
        relistMs: (options.relistSeconds ?? 300) * 1000,
        restMs: options.restMs ?? 50,
        maxDirty: options.maxDirty ?? 50,
        spreadMs: options.spreadMs ?? 1_000,
        eventSilenceMs: options.eventSilenceMs ?? 60_000,
        random: options.random ?? Math.random,
      }).run(signal);
    },
  };
}
