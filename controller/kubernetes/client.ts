import type { Dispatcher } from 'undici';
import { ControllerError } from '../errors.ts';
import { within } from '../http/deadline.ts';
import { exchange, wholeBody } from '../http/exchange.ts';
import { BOUNDS, OverBound } from '../input/bounds.ts';
import { hasMoreValues } from '../input/value-count.ts';
import { inTurns } from '../pace.ts';
import type { Clock } from '../ports.ts';
import { type Access, type Authorization, RECHECK_MS, type Setback } from './access.ts';
import { ApiFailure, transportFailure } from './api-failure.ts';
import { jsonLines } from './json-lines.ts';

/** The API server, and limits for its responses. */
export interface KubernetesClientOptions {
  readonly access: Access;
  readonly clock: Clock;
  /** Time limit until a response begins, and between two parts of it. Defaults to 30 s. */
  readonly silenceMs?: number | undefined;
  /** Time limit for a complete response. Defaults to 120 s. */
  readonly answerMs?: number | undefined;
  /** Limits for a response (default 256 MiB) and for one line of a watch (default 16 MiB, ten times etcd's limit). */
  readonly maxBodyBytes?: number | undefined;
  readonly maxLineBytes?: number | undefined;
}

/** The HTTP methods that are used. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The parts of a request besides method and path. */
export interface RequestOptions {
  readonly query?: Query;
  readonly body?: unknown;
  /** Defaults to `application/json`. */
  readonly contentType?: string;
  /** Called right before the request is sent; throws to prevent it. */
  readonly beforeSending?: (() => void) | undefined;
}

/** A client of an API server. Rejects with an `ApiFailure` for an error response, otherwise with a `ControllerError`. */
export interface KubernetesClient {
  /** Another one once the kubeconfig names another. */
  readonly server: string;
  readonly namespace: string;
  /** Resolves with the JSON of a successful response. Rejects with an `OverBound` as the cause if it has too many values. */
  call(method: Method, path: string, options: RequestOptions, signal: AbortSignal): Promise<unknown>;
  /**
   * Opens a watch; resolves when the server has accepted it. Events follow until either side ends it, as the server does every
   * few minutes, until nothing arrives for `silenceMs`, or until the kubeconfig names another server or user. Rejects if it
   * names another `server` than at the call, whose versions say nothing to the new one.
   */
  watch(
    path: string,
    query: Query,
    silenceMs: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent>>;
}

/** One line of a watch: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`, with the object or the error. */
export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** Forces HTTP/1.1. undici's types lack this option of a single request. */
const HTTP_1: object = { allowH2: false };

/** Identifies the caller in the server's audit log and in its priority-level metrics. */
const USER_AGENT = 'marathon-ipvs';

const ANSWER_OVER_BOUND = `the answer is refused: more than ${BOUNDS.documentValues} values`;

/** Creates a client of the API server that `access` leads to. */
export function createKubernetesClient(options: KubernetesClientOptions): KubernetesClient {
  return new HttpClient(options);
}

class HttpClient implements KubernetesClient {
  readonly namespace: string;
  readonly #options: KubernetesClientOptions;
  /** How the last request failed, if it was because of the credentials or the connection. */
  #setback: Setback | null = null;

  constructor(options: KubernetesClientOptions) {
    this.namespace = options.access.namespace;
    this.#options = options;
  }

  get server(): string {
    return this.#options.access.server;
  }

  async call(method: Method, path: string, options: RequestOptions, signal: AbortSignal): Promise<unknown> {
    const { clock, answerMs = 120_000, silenceMs = 30_000 } = this.#options;
    const what = `${method} ${this.server}${path}`;
    return this.#attempt(what, signal, () =>
      within(answerMs, clock, signal, async (limited) => {
        const authorization = await this.#options.access.authorize(this.#setback);
        const response = await this.#send(authorization, method, path, options, silenceMs, limited);
        if (response.statusCode >= 300) throw this.#failure(what, response, await this.#text(response));
        const bytes = await wholeBody(response, this.#options.maxBodyBytes);
        if (await inTurns(hasMoreValues(bytes, BOUNDS.documentValues)))
          throw new OverBound(ANSWER_OVER_BOUND);
        return JSON.parse(bytes.toString('utf8'));
      }),
    );
  }

  async watch(path: string, query: Query, silenceMs: number, signal: AbortSignal) {
    const { clock, silenceMs: answerMs = 30_000, maxLineBytes = 16 * 1024 * 1024 } = this.#options;
    const { server } = this;
    const what = `watch ${server}${path}`;
    const { response, contextKey } = await this.#attempt(what, signal, async () => {
      const authorization = await this.#options.access.authorize(this.#setback);
      if (authorization.server !== server) throw moved(what);
      const options = { query: { ...query, watch: true } };
      const opened = await this.#send(authorization, 'GET', path, options, silenceMs, signal);
      if (opened.statusCode === 200) return { response: opened, contextKey: authorization.contextKey };
      // An error response instead of a stream needs a time limit of its own.
      const text = await within(answerMs, clock, signal, (limited) => {
        limited.addEventListener('abort', () => opened.body.destroy(), { once: true });
        return this.#text(opened);
      });
      throw this.#failure(what, opened, text);
    });
    const over = new AbortController();
    void this.#endWhenMoved(what, contextKey, response.body, AbortSignal.any([signal, over.signal]));
    return this.#events(what, response, maxLineBytes, signal, over);
  }

  /** Ends a watch once the kubeconfig names another server or user. */
  async #endWhenMoved(
    what: string,
    contextKey: string,
    body: Dispatcher.ResponseData['body'],
    signal: AbortSignal,
  ): Promise<void> {
    const { access, clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(RECHECK_MS, signal);
      if (!signal.aborted && (await access.contextKey()) !== contextKey)
        return void body.destroy(moved(what));
    }
  }

  async *#events(
    what: string,
    { body }: Dispatcher.ResponseData,
    longest: number,
    signal: AbortSignal,
    over: AbortController,
  ) {
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
      over.abort();
      body.destroy();
    }
  }

  /** Runs `work`, wraps its errors, and records whether credentials must be renewed. */
  async #attempt<T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#setback = null;
      return result;
    } catch (error) {
      signal.throwIfAborted();
      this.#setback = setbackIn(error);
      throw error instanceof ControllerError ? error : transportFailure(what, error);
    }
  }

  async #send(
    { server, headers, dispatcher }: Authorization,
    method: Method,
    path: string,
    { query = {}, body, contentType = 'application/json', beforeSending }: RequestOptions,
    bodyTimeout: number,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { silenceMs: headersTimeout = 30_000 } = this.#options;
    const url = new URL(server + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    beforeSending?.();
    return await exchange(url, {
      // A long watch must not share a connection, and thereby its flow control, with other calls.
      ...HTTP_1,
      method,
      headers: {
        ...headers,
        accept: 'application/json',
        // The server compresses large responses. Not for a watch, whose events must not wait in a compressor's buffer.
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

function setbackIn(error: unknown): Setback | null {
  if (!(error instanceof ApiFailure)) return 'unreachable';
  return error.status === 401 ? 'refused' : null;
}

/** The error of a watch whose context the kubeconfig no longer names. */
function moved(what: string): ControllerError {
  return new ControllerError('source', `${what}: ended, the kubeconfig names another server or user`);
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

/** The code of a `Status` object; 500 if it has none. */
function codeOf(status: unknown): number {
  const { code } = (status ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : 500;
}
