import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Agent, type Dispatcher, request } from 'undici';
import { ControllerError, messageOf } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import { type Answer, type Message, parseAnswer, parseText, type Reply, replyOf } from './answer.ts';
import { basicCredentials, type Credentials, type CredentialsFile, credentialsFrom } from './credentials.ts';
import { within } from './deadline.ts';
import { answerFailure, Failure, transportFailure } from './failure.ts';
import { Masters, parseMasters, shownUrl } from './masters.ts';

export interface MarathonClientOptions {
  /** One or more equal masters, separated by commas: `http://10.0.0.1:8080,http://10.0.0.2:8080`. */
  readonly where: string;
  readonly clock: Clock;
  readonly credentials?: CredentialsFile | undefined;
  /** PEM file of the CA that signed the masters' certificates; it replaces the system's. */
  readonly caFile?: string | undefined;
  /** Limit for the body of one answer, after decompression. Defaults to 256 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Until a connection stands. Defaults to 5 s. */
  readonly connectMs?: number | undefined;
  /** Until an answer begins, and without a byte of it. Defaults to 30 s. */
  readonly silenceMs?: number | undefined;
  /** For one whole answer. Defaults to 120 s. */
  readonly answerMs?: number | undefined;
}

/** Speaks with Marathon, whichever of its masters answers. Errors are `ControllerError`s for an operator. */
export interface MarathonClient {
  /** The masters as they were given, without credentials. */
  readonly name: string;
  /**
   * Reads JSON. Resolves with null when Marathon itself says that there is no such thing; a 404 of some proxy
   * is a failure. Each master is tried once. `parse` stands for `JSON.parse`; a `SyntaxError` of it counts as
   * a failure of the master.
   */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  get<T>(path: string, signal: AbortSignal, parse: (body: Buffer) => T): Promise<T | null>;
  /** Opens a stream of server-sent events, which then lasts until `signal` aborts or either side ends it. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Writes. Resolves with what Marathon itself answers below 500, refusals included, 401 excepted. Another master is
   * tried only where the request cannot have been carried out; otherwise the error says that it may have been.
   */
  send(message: Message, signal: AbortSignal): Promise<Reply>;
}

/** A client for one Marathon. Throws (code `usage`) when `where` is no list of URLs; nothing is contacted yet. */
export function createMarathonClient(options: MarathonClientOptions): MarathonClient {
  return new HttpClient(options);
}

interface Question {
  readonly method?: Message['method'] | 'GET';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

const REDIRECTS = 5;
const unzip = promisify(gunzip);

class HttpClient implements MarathonClient {
  readonly name: string;
  readonly #options: MarathonClientOptions;
  readonly #masters: Masters;
  readonly #credentials: Credentials | undefined;
  #agent: Agent | undefined;

  constructor(options: MarathonClientOptions) {
    const urls = parseMasters(options.where);
    const [user] = urls.filter(({ username }) => username !== '');
    this.#options = options;
    this.#credentials = options.credentials
      ? credentialsFrom(options.credentials)
      : user && basicCredentials(decoded(user.username), decoded(user.password));
    for (const url of urls) {
      url.username = '';
      url.password = '';
    }
    this.#masters = new Masters(urls);
    this.name = urls.map(shownUrl).join(',');
  }

  async get(path: string, signal: AbortSignal): Promise<unknown>;
  async get<T>(path: string, signal: AbortSignal, parse: (body: Buffer) => T): Promise<T | null>;
  async get(
    path: string,
    signal: AbortSignal,
    parse: (body: Buffer) => unknown = parseText,
  ): Promise<unknown> {
    const { clock, answerMs = 120_000 } = this.#options;
    return this.#fromAny(path, signal, (master) =>
      within(answerMs, clock, signal, async (limited) => {
        const headers = { accept: 'application/json', 'accept-encoding': 'gzip' };
        const answer = await this.#ask(resolve(master, path), { headers }, limited);
        const body = await this.#body(answer);
        return parseAnswer(answer, body, parse);
      }),
    );
  }

  async stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#fromAny(path, signal, async (master) => {
      // Not compressed: an event must not wait in a compressor's buffer.
      const headers = { accept: 'text/event-stream', 'accept-encoding': 'identity' };
      const answer = await this.#ask(resolve(master, path), { headers }, signal, 0);
      const { statusCode, headers: given, body } = answer.response;
      if (statusCode === 200 && String(given['content-type']).startsWith('text/event-stream')) return body;
      const text = statusCode === 200 ? '' : await this.#explanation(answer, signal);
      body.destroy();
      throw answerFailure(statusCode, text, answer.withheld, 'an event stream');
    });
  }

  async send({ method, path, body }: Message, signal: AbortSignal): Promise<Reply> {
    const { clock, answerMs = 120_000 } = this.#options;
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'gzip',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const ask = (master: URL) =>
      within(answerMs, clock, signal, async (limited) => {
        const url = resolve(master, path);
        const answer = await this.#ask(url, { method, headers, body }, limited);
        return replyOf(answer, (await this.#body(answer)).toString('utf8'), `${method} ${shownUrl(url)}`);
      });
    return this.#fromAny(path, signal, ask, method);
  }

  /** Tries each master once and rejects with what all of them said. */
  async #fromAny<T>(
    path: string,
    signal: AbortSignal,
    ask: (master: URL) => Promise<T>,
    method = 'GET',
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
        const failure = error instanceof Failure ? error : transportFailure(error);
        failures.push(failure.of(`${method} ${shownUrl(resolve(master, path))}`));
        if (method !== 'GET' && !failure.undone) break;
      }
    }
    const unknown =
      method !== 'GET' && failures.some(({ undone }) => !undone)
        ? '; it may have been carried out: look at it before asking again'
        : '';
    throw new ControllerError('source', failures.map(({ message }) => message).join('; ') + unknown, {
      retry: failures.some(({ retry }) => retry === 'later') ? 'later' : 'never',
      cause: failures[0]?.cause,
    });
  }

  /** Follows redirects by hand, since who may see the credentials is decided anew for every host. */
  async #ask(
    first: URL,
    { method = 'GET', headers, body }: Question,
    signal: AbortSignal,
    bodyTimeout = this.#options.silenceMs ?? 30_000,
  ): Promise<Answer> {
    const { silenceMs: headersTimeout = 30_000 } = this.#options;
    const dispatcher = await this.#dispatcher();
    let url = first;
    let renewed = false;
    for (let hops = 0; hops <= REDIRECTS; ) {
      const trusted = this.#masters.trusts(url);
      const authorization = trusted ? await this.#credentials?.header() : undefined;
      const response = await request(url, {
        dispatcher,
        method,
        body: body ?? null,
        headers: authorization === undefined ? headers : { ...headers, authorization },
        signal,
        headersTimeout,
        bodyTimeout,
      });
      // A body that breaks off while no one reads it would end the process.
      response.body.on('error', () => undefined);
      this.#masters.leaderNamed(url, response.headers['x-marathon-leader']);
      const { location } = response.headers;
      if (
        response.statusCode === 401 &&
        authorization !== undefined &&
        !renewed &&
        (await this.#credentials?.renew())
      ) {
        renewed = true;
        discard(response);
      } else if (method !== 'GET' && response.statusCode >= 300 && response.statusCode < 400) {
        discard(response);
        throw new Failure(`redirected to ${String(location)}, where nothing is written`, 'never', undefined, {
          undone: true,
        });
      } else if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
        hops += 1;
        url = redirected(location, url);
        discard(response);
      } else {
        return { url, response, withheld: !trusted && this.#credentials !== undefined };
      }
    }
    throw new Failure(`redirected more than ${REDIRECTS} times, last to ${shownUrl(url)}`, 'later');
  }

  async #body({ response }: Answer): Promise<Buffer> {
    const limit = this.#options.maxBodyBytes ?? 256 * 1024 * 1024;
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > limit) throw new Failure(`the answer is larger than ${limit} bytes`, 'never');
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks, size);
    return response.headers['content-encoding'] === 'gzip' ? unzip(bytes, { maxOutputLength: limit }) : bytes;
  }

  /** The text of an error that came in place of a stream, which has no limit of time of its own. */
  async #explanation(answer: Answer, signal: AbortSignal): Promise<string> {
    const { clock, silenceMs = 30_000 } = this.#options;
    return within(silenceMs, clock, signal, async (limited) => {
      limited.addEventListener('abort', () => answer.response.body.destroy(), { once: true });
      return (await this.#body(answer)).toString('utf8');
    });
  }

  async #dispatcher(): Promise<Agent> {
    if (this.#agent !== undefined) return this.#agent;
    const { caFile, connectMs = 5_000 } = this.#options;
    const ca = caFile === undefined ? undefined : await readCa(caFile);
    this.#agent = new Agent({ connect: { timeout: connectMs, ...(ca && { ca }) }, allowH2: false });
    return this.#agent;
  }
}

/** Reads an unwanted body to its end, so that the connection can be used again; not worth waiting for. */
function discard({ body }: Dispatcher.ResponseData): void {
  void body.dump().catch(() => undefined);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `path` below the master's own path, which DC/OS needs: `https://master/service/marathon`. */
function resolve(master: URL, path: string): URL {
  return new URL(`${master.origin}${master.pathname.replace(/\/+$/, '')}${path}`);
}

function redirected(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href))
    throw new Failure(`redirected to "${location}", which is no URL`, 'later');
  const url = new URL(location, from);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Failure(`redirected to ${url.protocol}, which is not HTTP`, 'later');
  }
  url.username = '';
  url.password = '';
  return url;
}

async function readCa(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ControllerError('usage', `CA file ${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
}
