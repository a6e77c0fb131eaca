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
  /** Framework name for VIP names. Defaults to that of `/v2/info`. */
  readonly framework?: string | undefined;
  /** Interval of full reads, give or take a tenth. Defaults to 300 s. */
  readonly relistSeconds?: number | undefined;
  /**
   * An app that changes continuously is read at most this often; events in between are gathered. After a quiet period
   * the first interval is a fifth of it. Defaults to 50 ms.
   */
  readonly restMs?: number | undefined;
  /** How many apps are read concurrently. Defaults to 4. */
  readonly inFlight?: number | undefined;
  /**
   * If more apps than this, and more than a quarter of all, are affected, everything is read in one list. Defaults to
   * 50.
   */
  readonly maxDirty?: number | undefined;
  /** How long the last health result counts after Marathon lost it (as after a change of leader). Defaults to 60 s. */
  readonly healthHoldSeconds?: number | undefined;
  /** Full reads that many hosts start for the same reason are spread over this time. Defaults to 1 s. */
  readonly spreadMs?: number | undefined;
  /** An event stream that is silent for this long counts as dead. Defaults to 60 s. */
  readonly eventSilenceMs?: number | undefined;
  /** Saved state, used for what the first read cannot read. */
  readonly saved?: SavedApps | undefined;
  /** Numbers in [0, 1) for jitter. */
  readonly random?: (() => number) | undefined;
}

/**
 * Apps and pods of one Marathon, followed by its event stream.
 *
 * Since hundreds of hosts do the same, an event re-reads only the app that it names. Everything is read at the start,
 * after every connect and every few minutes. Throws a `ControllerError` (code `usage`) when `where` is not a list of
 * URLs.
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
        log.warn('some data of Marathon could not be read', { source: name, err: error });
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
        unreadable: ({ type, error }) =>
          log.warn('an event of Marathon cannot be read; all apps are read instead', {
            source: name,
            event: type,
            err: error,
          }),
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
