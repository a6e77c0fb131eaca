import { OverBound } from '../../input/bounds.ts';
import { isRecord } from '../../input/rejection.ts';
import { Pace } from '../../pace.ts';
import type { Clock } from '../../ports.ts';
import { checkSize, WrongType } from '../json/walk.ts';
import { type EventStream, ProtocolError, readStream } from '../stream.ts';
import type { MesosClient } from './client.ts';
import { type MesosEvent, readEvent } from './events.ts';
import { RecordDecoder } from './record-io.ts';
import { type MesosState, readState } from './state.ts';

export interface SubscriptionOptions {
  readonly client: MesosClient;
  readonly clock: Clock;
  /** Limit for one record, which is the whole state at the beginning. */
  readonly maxRecordBytes: number;
  /** How long nothing may arrive before the state; afterwards it is three heartbeats. */
  readonly silenceMs: number;
  /** Takes the state at the beginning; events wait until it resolves. */
  readonly state: (state: MesosState) => Promise<void>;
  readonly event: (event: MesosEvent) => void;
  /** Called whenever something arrives, even a heartbeat: the known state is still current. */
  readonly received: () => void;
}

/** Mesos's default, for a master that does not send its own. */
const HEARTBEAT_SECONDS = 15;
/** dcos-net's count. */
const MISSED_HEARTBEATS = 3;
/** A record up to this size is parsed as a whole: a few milliseconds. */
const SMALL = 256 * 1024;

/**
 * Follows one subscription. It never resolves: it rejects with a `ControllerError` when the connection fails, ends,
 * falls silent or sends something that cannot be read, or with the reason of `signal`. A truncated state is not used.
 */
export function followSubscription(options: SubscriptionOptions, signal: AbortSignal): Promise<never> {
  const { client, clock } = options;
  const reader = new EventReader(options);
  const decoder = new RecordDecoder(options.maxRecordBytes);
  const pace = new Pace();
  const stream: EventStream = {
    clock,
    request: `POST SUBSCRIBE ${client.name}`,
    open: (limited) => client.subscribe(limited),
    silenceMs: () => reader.silenceMs,
    ended: () => (decoder.midRecord ? 'the stream ended within a record' : 'the stream ended'),
    async take(chunk, limited) {
      // What has arrived already, megabytes at a time, would be read in one long turn.
      await pace.restIfDue();
      for (const record of decoder.feed(chunk)) {
        await reader.read(record);
        limited.throwIfAborted();
      }
      options.received();
    },
  };
  return readStream(stream, signal);
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
      if (error instanceof OverBound) throw new ProtocolError(`a record is refused: ${error.message}`);
      if (error instanceof WrongType) throw new ProtocolError(`the state is refused: ${error.message}`);
      if (!(error instanceof SyntaxError)) throw error;
      throw new ProtocolError(`a record of ${record.length} bytes is no JSON: ${error.message}`);
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

function unexpected(record: Buffer): ProtocolError {
  const beginning = JSON.stringify(record.toString('utf8', 0, 60));
  return new ProtocolError(`expected SUBSCRIBED with the state of the cluster first, got ${beginning}…`);
}
