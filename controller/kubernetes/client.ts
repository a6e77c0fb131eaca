import type { Dispatcher } from 'undici';
import { ControllerError } from '../errors.ts';
import { within } from '../http/deadline.ts';
import { exchange, wholeBody } from '../http/exchange.ts';
import type { Clock } from '../ports.ts';
import type { Access } from './access.ts';
import { ApiFailure, transportFailure } from './api-failure.ts';
import { jsonLines } from './json-lines.ts';

export interface KubernetesClientOptions {
  readonly access: Access;
  readonly clock: Clock;
  /** Until an answer begins, and without a byte of it. Defaults to 30 s. */
  readonly silenceMs?: number | undefined;
  /** For one whole answer. Defaults to 120 s. */
  readonly answerMs?: number | undefined;
  /** Limit for one answer, or one line of a watch. Defaults to 256 MiB, and 16 MiB: ten times what etcd takes. */
  readonly maxBodyBytes?: number | undefined;
  readonly maxLineBytes?: number | undefined;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  readonly body?: unknown;
  /** Defaults to `application/json`. */
  readonly contentType?: string;
}

/** Calls an API server. Rejects with an `ApiFailure` for what it refuses, else with a `ControllerError`. */
export interface KubernetesClient {
  readonly server: string;
  readonly namespace: string;
  /** Resolves with the JSON of a good answer. */
  call(method: Method, path: string, options: RequestOptions, signal: AbortSignal): Promise<unknown>;
  /**
   * Opens a watch; resolves when the server has accepted it. The events then come until either side ends it: a server
   * does so every few minutes. `silenceMs` without a byte breaks it off.
   */
  watch(
    path: string,
    query: Query,
    silenceMs: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent>>;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** HTTP/1.1. The types of undici do not know that a single request may ask for it. */
const ONE_AT_A_TIME: object = { allowH2: false };

/** Who calls, in the server's audit log and in the metrics of its priority levels. */
const USER_AGENT = 'marathon-ipvs';

export function createKubernetesClient(options: KubernetesClientOptions): KubernetesClient {
  return new HttpClient(options);
}

class HttpClient implements KubernetesClient {
  readonly server: string;
  readonly namespace: string;
  readonly #options: KubernetesClientOptions;
  /** The credentials or the connections were no good the last time. */
  #refused = false;

  constructor(options: KubernetesClientOptions) {
    this.server = options.access.server;
    this.namespace = options.access.namespace;
    this.#options = options;
  }

  async call(method: Method, path: string, options: RequestOptions, signal: AbortSignal): Promise<unknown> {
    const { clock, answerMs = 120_000, silenceMs = 30_000 } = this.#options;
    const what = `${method} ${this.server}${path}`;
    return this.#told(what, signal, () =>
      within(answerMs, clock, signal, async (limited) => {
        const response = await this.#ask(method, path, options, silenceMs, limited);
        const text = await this.#text(response);
        if (response.statusCode >= 300) throw this.#failure(what, response, text);
        return JSON.parse(text);
      }),
    );
  }

  async watch(path: string, query: Query, silenceMs: number, signal: AbortSignal) {
    const { clock, silenceMs: answerMs = 30_000, maxLineBytes = 16 * 1024 * 1024 } = this.#options;
    const what = `watch ${this.server}${path}`;
    const response = await this.#told(what, signal, async () => {
      const opened = await this.#ask('GET', path, { query: { ...query, watch: true } }, silenceMs, signal);
      if (opened.statusCode === 200) return opened;
      // The text of an error that came in place of a stream, which has no limit of time of its own.
      const text = await within(answerMs, clock, signal, (limited) => {
        limited.addEventListener('abort', () => opened.body.destroy(), { once: true });
        return this.#text(opened);
      });
      throw this.#failure(what, opened, text);
    });
    return this.#events(what, response, maxLineBytes, signal);
  }

  async *#events(what: string, { body }: Dispatcher.ResponseData, longest: number, signal: AbortSignal) {
    try {
      for await (const event of jsonLines(body as AsyncIterable<Uint8Array>, longest)) {
        const { type, object } = event as WatchEvent;
        if (type === 'ERROR') throw new ApiFailure(what, { status: codeOf(object), body: object });
        yield { type, object };
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ControllerError ? error : transportFailure(what, error);
    } finally {
      body.destroy();
    }
  }

  async #told<T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#refused = false;
      return result;
    } catch (error) {
      signal.throwIfAborted();
      this.#refused = !(error instanceof ApiFailure) || error.status === 401;
      throw error instanceof ControllerError ? error : transportFailure(what, error);
    }
  }

  async #ask(
    method: Method,
    path: string,
    { query = {}, body, contentType = 'application/json' }: RequestOptions,
    bodyTimeout: number,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { access, silenceMs: headersTimeout = 30_000 } = this.#options;
    const { headers, dispatcher } = await access.authorize(this.#refused);
    const url = new URL(this.server + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return await exchange(url, {
      // A watch lasts for ever: one that shares a connection with other calls would share its flow control too.
      ...ONE_AT_A_TIME,
      method,
      headers: {
        ...headers,
        accept: 'application/json',
        // The server compresses answers from 128 KiB on. Not a watch: an event must not wait in a compressor's buffer.
        'accept-encoding': query['watch'] ? 'identity' : 'gzip',
        'user-agent': USER_AGENT,
        ...(body !== undefined && { 'content-type': contentType }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(dispatcher !== undefined && { dispatcher }),
      signal,
      headersTimeout,
      bodyTimeout,
    });
  }

  async #text(response: Dispatcher.ResponseData): Promise<string> {
    return (await wholeBody(response, this.#options.maxBodyBytes)).toString('utf8');
  }

  #failure(what: string, { statusCode, headers }: Dispatcher.ResponseData, text: string): ApiFailure {
    const retryAfter = headers['retry-after'];
    return new ApiFailure(what, {
      status: statusCode,
      body: parsedOr(text),
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    });
  }
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

/** Of a `Status` object; 500 where it has none. */
function codeOf(status: unknown): number {
  const { code } = (status ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : 500;
}
