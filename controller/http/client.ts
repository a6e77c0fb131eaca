import { readFile } from 'node:fs/promises';
import { Agent, type Dispatcher } from 'undici';
import { ControllerError, systemReason } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { Answer, discard } from './answer.ts';
import { basicCredentials, type Credentials, type CredentialsFile, credentialsFrom } from './credentials.ts';
import { within } from './deadline.ts';
import { encodedStream } from './encoding.ts';
import { exchange } from './exchange.ts';
import { Failure, transportFailure } from './failure.ts';
import { Masters, parseMasters, shownUrl } from './masters.ts';
import type { Peer, PeerOptions } from './peer.ts';
import { decoded, redirected, resolve } from './urls.ts';

export interface HttpClientOptions {
  /** One or more equal masters, separated by commas: `http://10.0.0.1:8080,http://10.0.0.2:8080`. */
  readonly where: string;
  readonly clock: Clock;
  readonly credentials?: CredentialsFile | undefined;
  /** PEM file of the CA that signed the masters' certificates; it replaces the system's. */
  readonly caFile?: string | undefined;
  /** By what the operator gave these, where it was not the option on the command line. */
  readonly givenBy?: Partial<PeerOptions> | undefined;
  /** Limit for the body of one answer, after decompression. Defaults to 256 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Until a connection stands. Defaults to 5 s. */
  readonly connectMs?: number | undefined;
  /** Until an answer begins, and without a byte of it. Defaults to 30 s. */
  readonly silenceMs?: number | undefined;
  /** For one whole answer. Defaults to 120 s. */
  readonly answerMs?: number | undefined;
}

/** What is asked. `path` is below the master's own path: `/v2/apps`. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What messages put before the URL; the method unless told otherwise. */
  readonly shown?: string;
  /**
   * It changes something: another master is asked only where it has certainly not been carried out, and no redirect
   * is followed.
   */
  readonly writes?: boolean;
}

/** An answer with its body, whatever its status. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: string;
  /** Whether credentials exist and were kept from this host. */
  readonly withheld: boolean;
}

const REDIRECTS = 5;
/**
 * Asks whichever of several equal masters answers; each is tried once per question. Errors are `ControllerError`s for
 * an operator. The constructor throws (code `usage`) when `where` is no list of URLs; nothing is contacted by it.
 */
export class HttpClient {
  /** The masters as they were given, without credentials. */
  readonly name: string;
  readonly #options: HttpClientOptions;
  /** With the options as they were given. */
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

  /** URLs of the masters and of the leaders that were learnt, without credentials. */
  get servers(): readonly string[] {
    return this.#masters.servers;
  }

  /**
   * Reads a whole answer. Resolves with null when the peer itself says that there is no such thing; a 404 of some
   * proxy is a failure. A `SyntaxError` of `parse` counts as a failure of the master.
   */
  async read<T>(
    question: Question,
    signal: AbortSignal,
    parse: (body: Buffer) => T | Promise<T>,
  ): Promise<T | null> {
    const { clock, answerMs = 120_000 } = this.#options;
    return this.#fromAny(question, signal, (master) =>
      within(answerMs, clock, signal, async (limited) => {
        return await (await this.#ask(master, question, limited)).parsed(parse);
      }),
    );
  }

  /** Changes something. `parse` throws a `Failure` for an answer that is no word of the peer's about it. */
  async write<T>(
    question: Omit<Question, 'writes'>,
    signal: AbortSignal,
    parse: (answer: WholeAnswer) => T,
  ): Promise<T> {
    const { clock, answerMs = 120_000 } = this.#options;
    const asked = { ...question, writes: true } as const;
    return this.#fromAny(asked, signal, (master) =>
      within(answerMs, clock, signal, async (limited) => {
        const answer = await this.#ask(master, asked, limited);
        const { response, withheld } = answer;
        const body = (await answer.body()).toString('utf8');
        return parse({ status: response.statusCode, headers: response.headers, body, withheld });
      }),
    );
  }

  /**
   * Opens a stream, which then lasts until `signal` aborts or either side ends it. An answer whose content type does
   * not begin with one of `types` is a failure, told as not being `expected`.
   */
  async stream(
    question: Question,
    types: readonly string[],
    expected: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    return this.#fromAny(question, signal, async (master) => {
      const answer = await this.#ask(master, question, signal, 0);
      const { statusCode, headers: given, body } = answer.response;
      const type = String(given['content-type']).toLowerCase();
      const expectedType = statusCode === 200 && types.some((known) => type.startsWith(known));
      const encoded = expectedType ? encodedStream(given['content-encoding']) : null;
      if (expectedType && encoded === null) return body;
      const text = statusCode === 200 ? '' : await this.#explanation(answer, signal);
      body.destroy();
      throw encoded ?? answer.failure(text, expected);
    });
  }

  /** Tries each master once and rejects with what all of them said. */
  async #fromAny<T>(
    { method, path, shown = method, writes = false }: Question,
    signal: AbortSignal,
    ask: (master: URL) => Promise<T>,
  ): Promise<T> {
    const failures: Failure[] = [];
    for (const master of this.#masters.inOrder()) {
      try {
        const result = await ask(master);
        this.#masters.answered(master);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ControllerError) throw error;
        const failure = error instanceof Failure ? error : transportFailure(this.peer, error);
        failures.push(failure.of(`${shown} ${shownUrl(resolve(master, path))}`));
        if (writes && !failure.undone) break;
      }
    }
    const perhaps = writes && failures.some(({ undone }) => !undone);
    const told = perhaps ? '; it may have been carried out: look at it before asking again' : '';
    throw new ControllerError('source', failures.map(({ message }) => message).join('; ') + told, {
      retry: failures.some(({ retry }) => retry === 'later') ? 'later' : 'never',
      cause: failures[0]?.cause,
    });
  }

  /** Follows redirects by hand, since who may see the credentials is decided anew for every host. */
  async #ask(
    master: URL,
    { method, path, headers, body, writes }: Question,
    signal: AbortSignal,
    bodyTimeout = this.#options.silenceMs ?? 30_000,
  ): Promise<Answer> {
    const { silenceMs: headersTimeout = 30_000 } = this.#options;
    const dispatcher = await this.#dispatcher();
    let url = resolve(master, path);
    let renewed = false;
    for (let hops = 0; hops <= REDIRECTS; ) {
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
      this.#masters.leaderNamed(url, this.peer.leaderIn(response, url));
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
        if (writes) throw notWritten(location, response);
        hops += 1;
        url = redirected(location, url);
        discard(response);
      } else {
        return this.#answerOf(response, url, trusted);
      }
    }
    throw new Failure(`redirected more than ${REDIRECTS} times, last to ${shownUrl(url)}`, 'later');
  }

  #answerOf(response: Dispatcher.ResponseData, url: URL, trusted: boolean): Answer {
    return new Answer(response, {
      peer: this.peer,
      withheld: !trusted && this.#credentials !== undefined,
      stranger: this.#masters.isConfigured(url) ? null : url.origin,
      maxBytes: this.#options.maxBodyBytes,
    });
  }

  /** The text of an error that came in place of a stream, which has no limit of time of its own. */
  async #explanation(answer: Answer, signal: AbortSignal): Promise<string> {
    const { clock, silenceMs = 30_000 } = this.#options;
    return within(silenceMs, clock, signal, async (limited) => {
      limited.addEventListener('abort', () => answer.response.body.destroy(), { once: true });
      return await answer.explanation();
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

function notWritten(location: string, response: Dispatcher.ResponseData): Failure {
  discard(response);
  return new Failure(`redirected to ${location}, where nothing is written`, 'never', undefined, {
    undone: true,
  });
}

async function readCa(option: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ControllerError('usage', `${option}: ${path} cannot be read: ${systemReason(cause)}`);
  });
}
