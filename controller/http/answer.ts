import type { Dispatcher } from 'undici';
import { OverBound } from '../bounds.ts';
import { messageOf } from '../errors.ts';
import { beginningOfBody, wholeBody } from './exchange.ts';
import { answerFailure, Failure } from './failure.ts';
import type { Peer } from './peer.ts';

export interface AnswerContext {
  readonly peer: Peer;
  /** Whether credentials exist and were kept from this host. */
  readonly withheld: boolean;
  /** The host that gave the answer, where a redirect led to one that is not configured; else null. */
  readonly stranger: string | null;
  /** Limit for the body, after decompression. */
  readonly maxBytes: number | undefined;
}

/** Of the body of an error no more is looked at. */
const EXPLANATION_BYTES = 65_536;

/** An answer whose body has not been read yet; that is done once. */
export class Answer {
  readonly response: Dispatcher.ResponseData;
  readonly #context: AnswerContext;

  constructor(response: Dispatcher.ResponseData, context: AnswerContext) {
    this.response = response;
    this.#context = context;
  }

  /** Whether credentials exist and were kept from the host that answered. */
  get withheld(): boolean {
    return this.#context.withheld;
  }

  /** The whole body, decompressed. Rejects with a `Failure` where it is larger than the limit. */
  async body(): Promise<Buffer> {
    return await wholeBody(this.response, this.#context.maxBytes);
  }

  /** The begin of the body of an error. */
  async explanation(): Promise<string> {
    return (await beginningOfBody(this.response, EXPLANATION_BYTES)).toString('utf8');
  }

  /** What is wrong with an answer that is not as `expected`; `text` is what it says. */
  failure(text: string, expected: string): Failure {
    const { peer, withheld, stranger } = this.#context;
    return answerFailure(peer, this.response.statusCode, text, withheld, expected, stranger);
  }

  /**
   * What `parse` makes of the body; null where the peer itself says that there is no such thing. Rejects with a `Failure`
   * for any other status than 200, and where `parse` throws a `SyntaxError`.
   */
  async parsed<T>(parse: (body: Buffer) => T | Promise<T>): Promise<T | null> {
    if (this.response.statusCode !== 200) {
      const failure = this.failure(await this.explanation(), 'JSON');
      if (failure.absent) return null;
      throw failure;
    }
    const body = await this.body();
    try {
      return await parse(body);
    } catch (error) {
      if (error instanceof OverBound) throw new Failure(`the answer is refused: ${error.message}`, 'later');
      if (!(error instanceof SyntaxError)) throw error;
      const { stranger } = this.#context;
      // The error quotes what it stumbled over.
      const [where, cause] =
        stranger === null ? [`: ${messageOf(error)}`, error] : [`; redirected to ${stranger}`, undefined];
      throw new Failure(`the answer is no JSON (${body.length} bytes${where})`, 'later', cause);
    }
  }
}

/** Reads an unwanted body to its end, so that the connection can be used again; not worth waiting for. */
export function discard({ body }: Dispatcher.ResponseData): void {
  void body.dump().catch(() => undefined);
}
