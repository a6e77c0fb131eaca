import type { Dispatcher } from 'undici';
import { messageOf } from '../errors.ts';
import { OverBound } from '../input/bounds.ts';
import { beginningOfBody, wholeBody } from './exchange.ts';
import { answerFailure, Failure } from './failure.ts';
import type { Peer } from './peer.ts';

export interface AnswerContext {
  readonly peer: Peer;
  /** Whether credentials exist but were not sent to this host. */
  readonly withheld: boolean;
  /** The host that answered, if a redirect led to one that is not configured; else null. */
  readonly foreignHost: string | null;
  /** Limit for the body, after decompression. */
  readonly maxBytes: number | undefined;
}

/** No more of the body of an error is read. */
const ERROR_TEXT_BYTES = 65_536;

/** An answer whose body has not been read yet. The body can be read once. */
export class Answer {
  readonly response: Dispatcher.ResponseData;
  readonly #context: AnswerContext;

  constructor(response: Dispatcher.ResponseData, context: AnswerContext) {
    this.response = response;
    this.#context = context;
  }

  /** Whether credentials exist but were not sent to the host that answered. */
  get withheld(): boolean {
    return this.#context.withheld;
  }

  /** The whole body, decompressed. Rejects with a `Failure` if it is larger than the limit. */
  async body(): Promise<Buffer> {
    return await wholeBody(this.response, this.#context.maxBytes);
  }

  /** The beginning of the body of an error. */
  async errorText(): Promise<string> {
    return (await beginningOfBody(this.response, ERROR_TEXT_BYTES)).toString('utf8');
  }

  /** The failure for an answer that is not as `expected`; `text` is the beginning of its body. */
  failure(text: string, expected: string): Failure {
    const { peer, withheld, foreignHost } = this.#context;
    return answerFailure(peer, this.response.statusCode, text, withheld, expected, foreignHost);
  }

  /**
   * Parses the body; resolves with null if the peer itself says that the requested object does not exist. Rejects with a
   * `Failure` for any other status than 200, and if `parse` throws a `SyntaxError`.
   */
  async parsed<T>(parse: (body: Buffer) => T | Promise<T>): Promise<T | null> {
    if (this.response.statusCode !== 200) {
      const failure = this.failure(await this.errorText(), 'JSON');
      if (failure.absent) return null;
      throw failure;
    }
    const body = await this.body();
    try {
      return await parse(body);
    } catch (error) {
      if (error instanceof OverBound) throw new Failure(`the answer is refused: ${error.message}`, 'later');
      if (!(error instanceof SyntaxError)) throw error;
      const { foreignHost } = this.#context;
      // A SyntaxError quotes the body, which must not be shown if it comes from a foreign host.
      const [where, cause] =
        foreignHost === null
          ? [`: ${messageOf(error)}`, error]
          : [`; redirected to ${foreignHost}`, undefined];
      throw new Failure(`the answer is not valid JSON (${body.length} bytes${where})`, 'later', cause);
    }
  }
}

/** Reads an unwanted body to its end in the background, so that the connection can be reused. */
export function discard({ body }: Dispatcher.ResponseData): void {
  void body.dump().catch(() => undefined);
}
