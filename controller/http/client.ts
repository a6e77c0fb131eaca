import { Agent, type Dispatcher } from 'undici';
import { ControllerError, systemReason } from '../errors.ts';
import { readSmallFile } from '../input/small-file.ts';
import type { Clock } from '../ports.ts';
import { Answer, discard } from './answer.ts';
import { basicCredentials, type Credentials, type CredentialsFile, credentialsFrom } from './credentials.ts';
import { within } from './deadline.ts';
import { streamEncodingFailure } from './encoding.ts';
import { exchange } from './exchange.ts';
import { Failure, transportFailure } from './failure.ts';
import { Masters, parseMasters, shownUrl } from './masters.ts';
import type { Peer, PeerOptions } from './peer.ts';
import { decoded, redirected, resolve, shownTarget } from './urls.ts';

/** The servers of a source, how to authenticate there, and limits. */
export interface HttpClientOptions {
  /** One or more equal masters, separated by commas: `http://10.0.0.1:8080,http://10.0.0.2:8080`. */
  readonly where: string;
  readonly clock: Clock;
  readonly credentials?: CredentialsFile | undefined;
  /** PEM file of the CA that signed the masters' certificates; it replaces the CAs of the system. */
  readonly caFile?: string | undefined;
  /** Where the operator set these, for messages, if not with the command-line option. */
  readonly givenBy?: Partial<PeerOptions> | undefined;
  /** Limit for the body of one answer, after decompression. Defaults to 256 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Time limit for connecting. Defaults to 5 s. */
  readonly connectMs?: number | undefined;
  /** Time limit until an answer begins, and between two pieces of it. Defaults to 30 s. */
  readonly silenceMs?: number | undefined;
  /** Time limit for one whole answer. Defaults to 120 s. */
  readonly answerMs?: number | undefined;
}

/** A request. `path` is relative to the master's own path: `/v2/apps`. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What messages show in front of the URL; defaults to the method. */
  readonly shown?: string;
  /**
   * Whether it changes something. Then another master is tried only if the write has certainly not been executed, and
   * redirects are not followed.
   */
  readonly writes?: boolean;
}

/** An answer with its body, whatever its status. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: string;
  /** Whether credentials exist but were not sent to this host. */
  readonly withheld: boolean;
}

const MAX_REDIRECTS = 5;

/**
 * Sends requests to several equal masters, trying each once per request until one answers. Errors are `ControllerError`s
 * for an operator. The constructor contacts nothing; it throws (code `usage`) if `where` is not a list of URLs.
 */
export class HttpClient {
  /** The configured URLs, without credentials. */
  readonly name: string;
  readonly #options: HttpClientOptions;
  /** The peer, with its options named as the operator set them. */
  readonly peer: Peer;
  readonly #masters: Masters;
  readonly #credentials: Credentials | undefined;
  #agent: Agent | undefined;

  constructor(options: HttpClientOptions, peer: Peer) {
    const urls = parseMasters(options.where, peer.name);
    const [user] = urls.filter(({ username }) => username !== '');
    this.#options = options;
    this.peer = { ...peer, options: { ...peer.options, ...options.givenBy } };
    this.#credentials = options.credentials
      ? credentialsFrom(options.credentials, this.peer.options)
      : user && basicCredentials(decoded(user.username), decoded(user.password));
    for (const url of urls) {
      url.username = '';
      url.password = '';
    }
    this.#masters = new Masters(urls);
    this.name = urls.map(shownUrl).join(',');
  }

  /** URLs of the masters and of the leaders that they named, without credentials. */
  get servers(): readonly string[] {
    return this.#masters.servers;
  }

  /**
   * Reads a whole answer. Resolves with null if the peer itself says that the requested object does not exist; a 404 of a
   * proxy is a failure. A `SyntaxError` of `parse` counts as a failure of the master.
   */
  async read<T>(
    request: HttpRequest,
    signal: AbortSignal,
    parse: (body: Buffer) => T | Promise<T>,
  ): Promise<T | null> {
    const { clock, answerMs = 120_000 } = this.#options;
    return this.#fromAny(request, signal, (master) =>
      within(answerMs, clock, signal, async (limited) => {
        return await (await this.#send(master, request, limited)).parsed(parse);
      }),
    );
  }

  /** Sends a write. `parse` must throw a `Failure` for an answer that does not come from the peer itself. */
  async write<T>(
    request: Omit<HttpRequest, 'writes'>,
    signal: AbortSignal,
    parse: (answer: WholeAnswer) => T,
  ): Promise<T> {
    const { clock, answerMs = 120_000 } = this.#options;
    const write = { ...request, writes: true } as const;
    return this.#fromAny(write, signal, (master) =>
      within(answerMs, clock, signal, async (limited) => {
        const answer = await this.#send(master, write, limited);
        const { response, withheld } = answer;
        const body = (await answer.body()).toString('utf8');
        return parse({ status: response.statusCode, headers: response.headers, body, withheld });
      }),
    );
  }

  /**
   * Opens a stream, which lasts until `signal` aborts or either side ends it. An answer whose content type does not start
   * with one of `types` is a failure; its message says what was `expected`.
   */
  async stream(
    request: HttpRequest,
    types: readonly string[],
    expected: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    return this.#fromAny(request, signal, async (master) => {
      const answer = await this.#send(master, request, signal, 0);
      const { statusCode, headers: given, body } = answer.response;
      const type = String(given['content-type']).toLowerCase();
      const expectedType = statusCode === 200 && types.some((known) => type.startsWith(known));
      const unreadable = expectedType ? streamEncodingFailure(given['content-encoding']) : null;
      if (expectedType && unreadable === null) return body;
      const text = statusCode === 200 ? '' : await this.#errorText(answer, signal);
      body.destroy();
      throw unreadable ?? answer.failure(text, expected);
    });
  }

  /** Tries each master once; rejects with the failures of all of them. */
  async #fromAny<T>(
    { method, path, shown = method, writes = false }: HttpRequest,
    signal: AbortSignal,
    send: (master: URL) => Promise<T>,
  ): Promise<T> {
    const failures: Failure[] = [];
    for (const master of this.#masters.inOrder()) {
      try {
        const result = await send(master);
        this.#masters.answered(master);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ControllerError) throw error;
        const failure = error instanceof Failure ? error : transportFailure(this.peer, error);
        failures.push(failure.withRequest(`${shown} ${shownUrl(resolve(master, path))}`));
        if (writes && !failure.notExecuted) break;
      }
    }
    const mayBeExecuted = writes && failures.some(({ notExecuted }) => !notExecuted);
    const warning = mayBeExecuted ? '; it may have been carried out: look at it before asking again' : '';
    throw new ControllerError('source', failures.map(({ message }) => message).join('; ') + warning, {
      retry: failures.some(({ retry }) => retry === 'later') ? 'later' : 'never',
      cause: failures[0]?.cause,
    });
  }

  /** Follows redirects itself, to decide for every host whether it may get the credentials. */
  async #send(
    master: URL,
    { method, path, headers, body, writes }: HttpRequest,
    signal: AbortSignal,
    bodyTimeout = this.#options.silenceMs ?? 30_000,
  ): Promise<Answer> {
    const { silenceMs: headersTimeout = 30_000 } = this.#options;
    const dispatcher = await this.#dispatcher();
    let url = resolve(master, path);
    let renewed = false;
    for (let hops = 0; hops <= MAX_REDIRECTS; ) {
      const trusted = this.#masters.trusts(url);
      const authorization = trusted ? await this.#credentials?.header() : undefined;
      const response = await exchange(url, {
        dispatcher,
        method,
        body: body ?? null,
        headers: authorization === undefined ? headers : { ...headers, authorization },
        signal,
        headersTimeout,
        bodyTimeout,
      });
      this.#masters.noteLeader(url, this.peer.leaderIn(response, url));
      const { location } = response.headers;
      if (
        response.statusCode === 401 &&
        authorization !== undefined &&
        !renewed &&
        (await this.#credentials?.renew())
      ) {
        renewed = true;
        discard(response);
      } else if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
        if (writes) throw writeRedirected(location, response);
        hops += 1;
        url = redirected(location, url);
        discard(response);
      } else {
        return this.#answerOf(response, url, trusted);
      }
    }
    throw new Failure(
      `redirected more than ${MAX_REDIRECTS} times, last to ${shownTarget(url.href)}`,
      'later',
    );
  }

  #answerOf(response: Dispatcher.ResponseData, url: URL, trusted: boolean): Answer {
    return new Answer(response, {
      peer: this.peer,
      withheld: !trusted && this.#credentials !== undefined,
      foreignHost: this.#masters.isConfigured(url) ? null : url.origin,
      maxBytes: this.#options.maxBodyBytes,
    });
  }

  /** The text of an error in place of a stream; limited in time here, since streams are not. */
  async #errorText(answer: Answer, signal: AbortSignal): Promise<string> {
    const { clock, silenceMs = 30_000 } = this.#options;
    return within(silenceMs, clock, signal, async (limited) => {
      limited.addEventListener('abort', () => answer.response.body.destroy(), { once: true });
      return await answer.errorText();
    });
  }

  async #dispatcher(): Promise<Agent> {
    if (this.#agent !== undefined) return this.#agent;
    const { caFile, connectMs = 5_000 } = this.#options;
    const ca = caFile === undefined ? undefined : await readCa(this.peer.options.caFile, caFile);
    this.#agent = new Agent({ connect: { timeout: connectMs, ...(ca && { ca }) }, allowH2: false });
    return this.#agent;
  }
}

function writeRedirected(location: string, response: Dispatcher.ResponseData): Failure {
  discard(response);
  return new Failure(
    `redirected to ${shownTarget(location)}; redirects of writes are not followed`,
    'never',
    undefined,
    {
      notExecuted: true,
    },
  );
}

async function readCa(option: string, path: string): Promise<Buffer> {
  return await readSmallFile(path).catch((cause: unknown) => {
    throw new ControllerError('usage', `${option}: ${path} cannot be read: ${systemReason(cause)}`);
  });
}
