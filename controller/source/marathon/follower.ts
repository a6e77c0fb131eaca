import { setImmediate } from 'node:timers/promises';
import { retryDelay } from '../../backoff.ts';
import { asError } from '../../errors.ts';
import { BOUNDS } from '../../input/bounds.ts';
import type { Clock, SourceListener } from '../../ports.ts';
import { reconnect } from '../stream.ts';
import type { MarathonClient } from './client.ts';
import { type Affected, type EventProblem, followEvents, type NamedEnd } from './events.ts';
import { type Due, ReadQueue } from './read-queue.ts';
import type { MarathonReader, ReaderCallbacks } from './reader.ts';

export interface FollowerOptions {
  readonly client: MarathonClient;
  readonly clock: Clock;
  readonly listener: SourceListener;
  readonly createReader: (callbacks: ReaderCallbacks) => MarathonReader;
  /** As in `EventStreamOptions`. */
  readonly unreadable: (problem: EventProblem) => void;
  readonly inFlight: number;
  readonly relistMs: number;
  readonly restMs: number;
  readonly maxDirty: number;
  readonly spreadMs: number;
  readonly eventSilenceMs: number;
  readonly random: () => number;
}

/** How often everything is read while there is no event stream. */
const POLL_MS = 30_000;
/** How long the first read waits for the event stream: once it is attached, one read is enough. */
const FIRST_READ_MS = 1_000;
/**
 * A list costs Marathon less than reading this share of all apps one by one. Without this limit, the steady changes of
 * a large cluster would pile up during each list and cause the next one, and every change would take as long as a list.
 */
const LIST_SHARE = 0.25;
const NOT_WAITING = () => undefined;
const NO_ITEMS: Due['items'] = new Map();

/** An app's first rest is this share of the longest one. */
const FIRST_REST_SHARE = 0.2;

interface LastRead {
  /** How long the app is not read again, and until when. */
  readonly restMs: number;
  readonly restedAt: number;
}

/**
 * How long an app rests after this read.
 *
 * A change causes several events, and the last one often follows the first within moments: so the first rest is short.
 * Each further one is twice as long, up to `maxMs`, which limits how often an app that changes continuously is read.
 */
function nextRead(last: LastRead | undefined, now: number, maxMs: number): LastRead {
  const isQuiet = last === undefined || now >= last.restedAt + maxMs;
  const restMs = isQuiet ? maxMs * FIRST_REST_SHARE : Math.min(maxMs, 2 * last.restMs);
  return { restMs, restedAt: now + restMs };
}

/**
 * Keeps a reader in sync with Marathon: one half follows the event stream and queues what may have changed, the other
 * reads it.
 */
export class MarathonFollower {
  readonly #options: FollowerOptions;
  readonly #reader: MarathonReader;
  readonly #queue: ReadQueue;
  /** Reads of single apps in progress. */
  readonly #reading = new Set<Promise<void>>();
  readonly #itemFailures = new Map<string, number>();
  /** The last read of each app since the last list. */
  readonly #lastReads = new Map<string, LastRead>();
  #failures = 0;
  /** The list in progress. */
  #listing: Promise<void> | null = null;
  /** Ends the pause before the next connection attempt early. */
  #streamSooner: () => void = NOT_WAITING;
  #lastFullRead = Number.NEGATIVE_INFINITY;

  constructor(options: FollowerOptions) {
    this.#options = options;
    // Single apps wait for the first list: one alone would look like Marathon's only app.
    this.#queue = new ReadQueue({ list: true, items: false, inFlight: options.inFlight });
    this.#reader = options.createReader({
      revisit: (id, due) => this.#queue.add(id, null, due),
      partFailed: (error) => options.listener.failed(error),
    });
    this.#reader.streamLost();
  }

  /** Follows until `signal` aborts; then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#followStream(signal), this.#readDue(signal)]);
  }

  async #followStream(signal: AbortSignal): Promise<void> {
    const { client, clock, listener, eventSilenceMs, random, unreadable } = this.#options;
    // A proxy that delays the stream must not delay the first read.
    const late = clock.sleep(FIRST_READ_MS, signal).then(() => this.#pollWithoutStream());
    const connect = async () => {
      await this.#reader.readInfo(signal);
      const attached = () => this.#attached();
      const changed = (affected: Affected) => this.#changed(affected);
      const ended = (end: NamedEnd) => this.#reader.takeEnd(end);
      const callbacks = { attached, changed, ended, unreadable };
      return await followEvents({ client, clock, silenceMs: eventSilenceMs, ...callbacks }, signal);
    };
    const failed = (error: Error) => {
      this.#reader.streamLost();
      listener.failed(error);
      this.#pollWithoutStream();
    };
    const pause = (ms: number) => this.#beforeNextStream(ms, signal);
    await reconnect(connect, { clock, random, failed, pause }, signal);
    await late;
  }

  /**
   * Pauses before the next connection attempt. A successful list ends the pause: Marathon is back, and without the
   * stream later changes are noticed late.
   */
  async #beforeNextStream(ms: number, signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#streamSooner = () => early.abort();
    await this.#options.clock.sleep(ms, AbortSignal.any([signal, early.signal]));
    this.#streamSooner = NOT_WAITING;
  }

  async #readDue(signal: AbortSignal): Promise<void> {
    const { clock, maxDirty } = this.#options;
    for (;;) {
      const max = Math.max(maxDirty, this.#reader.feed.size * LIST_SHARE);
      await this.#queue.wait(max, clock, signal);
      // The events of one change, or of many apps at once, arrive in the same turn: read them together, but wait no
      // longer.
      await setImmediate();
      if (signal.aborted) break;
      const now = clock.monotonic();
      const { relist, items, tooMany } = this.#queue.take(now, max);
      if (!tooMany) for (const [id, { since }] of items) this.#startRead(id, since ?? now, signal);
      if (relist !== null) this.#startList(relist.since, tooMany ? items : NO_ITEMS, signal);
    }
    await Promise.all([...this.#reading, this.#listing]);
  }

  #startRead(id: string, since: number, signal: AbortSignal): void {
    const read = this.#readOne(id, since, signal).finally(() => {
      this.#reading.delete(read);
      this.#queue.done(id);
    });
    this.#reading.add(read);
  }

  /** Starts a list; reads of single apps continue. `instead`: apps that the list is read for. */
  #startList(since: number | null, instead: Due['items'], signal: AbortSignal): void {
    const { inFlight } = this.#options;
    // A list is one of the concurrent requests.
    const inFlightDuringList = Math.max(1, inFlight - 1);
    this.#queue.allow({ list: false, items: this.#reader.feed.isListed, inFlight: inFlightDuringList });
    this.#listing = this.#readEverything(since, signal).then((again) => {
      this.#listing = null;
      if (again !== null) for (const [id, entry] of instead) this.#queue.add(id, entry.since, again);
      this.#queue.allow({ list: true, items: this.#reader.feed.isListed, inFlight });
    });
  }

  /** Marathon does not resend missed events: only a list shows what happened meanwhile. */
  #attached(): void {
    const { clock, spreadMs, random } = this.#options;
    const now = clock.monotonic();
    this.#reader.expectList();
    // Spread, since every host lost its stream at the same moment.
    this.#queue.addRelist(now, now + (this.#reader.feed.isListed ? random() * spreadMs : 0));
  }

  #changed(affected: Affected): void {
    const { clock, spreadMs, random } = this.#options;
    const now = clock.monotonic();
    if (affected === 'everything') {
      this.#queue.addRelist(now, now + random() * spreadMs);
      return;
    }
    for (const id of affected) {
      this.#queue.add(id, now, Math.max(now, this.#lastReads.get(id)?.restedAt ?? now));
    }
  }

  #pollWithoutStream(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#lastFullRead >= POLL_MS) this.#queue.addRelist(null, now);
  }

  /** Resolves with the time to try again; null on success. */
  async #readEverything(since: number | null, signal: AbortSignal): Promise<number | null> {
    const { clock, listener, relistMs, random } = this.#options;
    const begun = clock.monotonic();
    this.#lastFullRead = begun;
    try {
      const delta = await this.#reader.readAll(since ?? begun, signal);
      this.#failures = 0;
      this.#itemFailures.clear();
      this.#streamSooner();
      this.#lastReads.clear();
      this.#queue.addRelist(null, clock.monotonic() + relistMs * (0.9 + 0.2 * random()));
      listener.changed(delta);
      return null;
    } catch (error) {
      const again = clock.monotonic() + retryDelay(this.#failures + 1, random);
      if (signal.aborted) return again;
      this.#failures += 1;
      this.#queue.addRelist(since, again);
      listener.failed(asError(error));
      return again;
    }
  }

  async #readOne(id: string, since: number, signal: AbortSignal): Promise<void> {
    const { clock, listener, restMs, random } = this.#options;
    // Events may name ids that do not exist. A forgotten app is merely read a little sooner.
    if (this.#lastReads.size >= BOUNDS.waitingApps) this.#lastReads.clear();
    this.#lastReads.set(id, nextRead(this.#lastReads.get(id), clock.monotonic(), restMs));
    try {
      const delta = await this.#reader.readOne(id, since, signal);
      this.#itemFailures.delete(id);
      if (delta !== null) listener.changed(delta);
    } catch (error) {
      if (signal.aborted) return;
      const failures = (this.#itemFailures.get(id) ?? 0) + 1;
      this.#itemFailures.set(id, failures);
      this.#queue.add(id, since, clock.monotonic() + retryDelay(failures, random));
      listener.failed(asError(error));
    }
  }
}
