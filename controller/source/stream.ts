import { type BackoffOptions, retryDelay } from '../backoff.ts';
import { asError, ControllerError, messageOf } from '../errors.ts';
import type { Clock } from '../ports.ts';

/** One connection to a server's event stream. */
export interface EventStream {
  readonly clock: Clock;
  /** The request, for messages: `GET http://10.0.0.1:8080/v2/events`. */
  readonly request: string;
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  /** Handles one chunk; the next one waits for it. Throws a `ProtocolError` for data that it does not understand. */
  readonly take: (chunk: Uint8Array, signal: AbortSignal) => void | Promise<void>;
  /** How long the connection may be silent before it counts as dead; called again each time. */
  readonly silenceMs: () => number;
  /** Why the server ended the stream. Defaults to `the stream ended`. */
  readonly ended?: () => string;
}

/** The data received is not what was expected: nothing after it can be trusted. */
export class ProtocolError extends Error {}

/**
 * Reads one connection. Never resolves: rejects with a `ControllerError` when the connection fails, ends, falls silent
 * or sends invalid data, or with the reason of `signal`.
 */
export async function readStream(stream: EventStream, signal: AbortSignal): Promise<never> {
  const { clock, request, open, take, silenceMs, ended = () => 'the stream ended' } = stream;
  const connection = new AbortController();
  const limited = AbortSignal.any([signal, connection.signal]);
  const failure = (what: string, cause?: unknown) =>
    new ControllerError('source', `${request}: ${what}; reconnecting`, cause === undefined ? {} : { cause });
  let receivedAt = clock.monotonic();
  try {
    const chunks = await open(limited);
    receivedAt = clock.monotonic();
    void silence(stream, () => receivedAt, limited).then(() =>
      connection.abort(failure(`nothing received for ${silenceMs() / 1000} s`)),
    );
    for await (const chunk of chunks) {
      await take(chunk, limited);
      limited.throwIfAborted();
      // Set after handling the chunk: nothing else is read meanwhile, and a full state takes long.
      receivedAt = clock.monotonic();
    }
    throw failure(ended());
  } catch (error) {
    limited.throwIfAborted();
    if (error instanceof ControllerError) throw error;
    if (error instanceof ProtocolError) throw failure(`not an event stream: ${error.message}`);
    throw failure(`the stream broke off: ${messageOf(error)}`, error);
  } finally {
    connection.abort();
  }
}

/** Resolves when the connection has been silent for too long, or `signal` aborts. */
async function silence(
  { clock, silenceMs }: EventStream,
  receivedAt: () => number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const left = receivedAt() + silenceMs() - clock.monotonic();
    if (left <= 0 || signal.aborted) return;
    await clock.sleep(left, signal);
  }
}

/** A connection that lasted longer than this resets the backoff. */
const STABLE_MS = 10_000;

export interface ReconnectOptions {
  readonly clock: Clock;
  /** Numbers in [0, 1) for jitter. */
  readonly random: () => number;
  /** Bounds of the backoff. Defaults to those of `retryDelay`. */
  readonly retry?: BackoffOptions;
  readonly failed: (error: Error) => void;
  /** Waits before the next attempt. Defaults to the clock's sleep. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Keeps connecting, with backoff, until `signal` aborts; then resolves. */
export async function reconnect(
  connect: () => Promise<never>,
  options: ReconnectOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, retry, failed, pause = (ms) => clock.sleep(ms, signal) } = options;
  for (let failures = 0; !signal.aborted; ) {
    const begun = clock.monotonic();
    try {
      await connect();
    } catch (error) {
      if (signal.aborted) return;
      failed(asError(error));
    }
    failures = clock.monotonic() - begun > STABLE_MS ? 1 : failures + 1;
    await pause(retryDelay(failures, random, retry));
  }
}
