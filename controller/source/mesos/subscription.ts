import { OverBound } from '../../bounds.ts';
import { ControllerError, messageOf } from '../../errors.ts';
import { watchSilence } from '../../http/silence.ts';
import { Pace } from '../../pace.ts';
import type { Clock } from '../../ports.ts';
import { isRecord } from '../../rejection.ts';
import { checkSize } from '../document/json-list.ts';
import type { MesosClient } from './client.ts';
import { type MesosEvent, readEvent } from './events.ts';
import { FramingError, RecordDecoder } from './record-io.ts';
import { type MesosState, readState } from './state.ts';

export interface SubscriptionOptions {
  readonly client: MesosClient;
  readonly clock: Clock;
  /** Limit for one record, which is the whole state at the beginning. */
  readonly maxRecordBytes: number;
  /** How long the stream may be silent until the state has come; afterwards it is three heartbeats. */
  readonly silenceMs: number;
  /** The state at the beginning; what comes after it waits until it has been taken in. */
  readonly state: (state: MesosState) => Promise<void>;
  readonly event: (event: MesosEvent) => void;
  /** Something came, and be it a heartbeat: what is known is still true. */
  readonly heard: () => void;
}

/** Mesos's own default; a master says its own. */
const HEARTBEAT_SECONDS = 15;
/** dcos-net's count. */
const MISSED_HEARTBEATS = 3;
/** A record up to this size is parsed as a whole: a few milliseconds. */
const SMALL = 256 * 1024;

/**
 * Follows one subscription. It never resolves: it rejects with a `ControllerError` when the connection fails, ends,
 * falls silent or sends what is not understood, or with the reason of `signal`. A state that was cut is none.
 */
export async function followSubscription(options: SubscriptionOptions, signal: AbortSignal): Promise<never> {
  const { client, clock } = options;
  const connection = new AbortController();
  const limited = AbortSignal.any([signal, connection.signal]);
  const failure = (what: string, cause?: unknown) =>
    new ControllerError(
      'source',
      `POST SUBSCRIBE ${client.name}: ${what}; connecting again`,
      cause === undefined ? {} : { cause },
    );
  let lastHeard = clock.monotonic();
  const reader = new EventReader(options);
  const decoder = new RecordDecoder(options.maxRecordBytes);
  try {
    const bytes = await client.subscribe(limited);
    lastHeard = clock.monotonic();
    void watchSilence(
      clock,
      () => reader.silenceMs,
      () => lastHeard,
      limited,
    ).then(() => connection.abort(failure(`nothing heard for ${reader.silenceMs / 1000} s`)));

    const pace = new Pace();
    for await (const chunk of bytes) {
      // What has arrived already, megabytes at a time, would come in one long turn.
      await pace.restIfDue();
      for (const record of decoder.feed(chunk)) {
        await reader.read(record);
        limited.throwIfAborted();
      }
      // After the work: a state takes its time to read, and meanwhile nothing can be heard.
      lastHeard = clock.monotonic();
      options.heard();
    }
    throw failure(decoder.midRecord ? 'the stream ended within a record' : 'the stream ended');
  } catch (error) {
    limited.throwIfAborted();
    if (error instanceof ControllerError) throw error;
    if (error instanceof FramingError) throw failure(`no stream of events: ${error.message}`);
    throw failure(`the stream broke off: ${messageOf(error)}`, error);
  } finally {
    connection.abort();
  }
}

/** Reads the records of one connection: first the state, then events. */
class EventReader {
  readonly #options: SubscriptionOptions;
  #subscribed = false;
  silenceMs: number;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.silenceMs = options.silenceMs;
  }

  async read(record: Buffer): Promise<void> {
    try {
      if (record.length > SMALL && !this.#subscribed) {
        await this.#readState(record);
        return;
      }
      if (record.length > SMALL) await checkSize(record, new Pace());
      const json: unknown = JSON.parse(record.toString('utf8'));
      if (isRecord(json) && json['type'] === 'SUBSCRIBED') await this.#readState(record);
      else if (this.#subscribed) this.#readEvent(json);
      // Newer masters send a heartbeat first of all.
      else if (!isRecord(json) || json['type'] !== 'HEARTBEAT') throw unexpected(record);
    } catch (error) {
      if (error instanceof OverBound) throw new FramingError(`a record is refused: ${error.message}`);
      if (!(error instanceof SyntaxError)) throw error;
      throw new FramingError(`a record of ${record.length} bytes is no JSON: ${error.message}`);
    }
  }

  async #readState(record: Buffer): Promise<void> {
    const state = await readState(record, new Pace());
    if (state === null) throw unexpected(record);
    this.#subscribed = true;
    this.silenceMs = (state.heartbeatSeconds ?? HEARTBEAT_SECONDS) * MISSED_HEARTBEATS * 1_000;
    await this.#options.state(state);
  }

  #readEvent(json: unknown): void {
    const event = readEvent(json);
    if (event !== null) this.#options.event(event);
  }
}

function unexpected(record: Buffer): FramingError {
  const beginning = JSON.stringify(record.toString('utf8', 0, 60));
  return new FramingError(`expected SUBSCRIBED with the state of the cluster first, got ${beginning}…`);
}
