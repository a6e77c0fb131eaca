import { Random } from '../../simulate/random.ts';
import { corpus } from './corpus.ts';
import { mutated } from './mutate.ts';
import { playSession } from './session.ts';
import { decodeReply, readReply } from './target.ts';

/** The command line's decoder is slower than the library's, and a session slower still. */
const DECODE_EVERY = 16;
const SESSION_EVERY = 4_096;
const CALLS_IN_SESSION = 16;

/** More replies than this, and longer ones, are not kept to go on from: what long ones show, short ones do too. */
const MAX_KEPT = 5_000;
const MAX_KEPT_BYTES = 1_024;

/** A reply that broke the promise. */
export class Find extends Error {
  override readonly name = 'Find';
  readonly bytes: Uint8Array;

  constructor(what: string, bytes: Uint8Array, cause: unknown) {
    super(`${what}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`, { cause });
    this.bytes = bytes;
  }
}

/**
 * Reads changed replies, one after the other; the same seed gives the same.
 *
 * A reply of which the readers say something that they never said before is kept, and changed again: without a measure of
 * coverage for Node that is maintained and knows ES modules, this is what leads deeper.
 */
export class Fuzzer {
  readonly #random: Random;
  readonly #corpus: Uint8Array[] = [...corpus()];
  readonly #said = new Set<string>();
  /** The longest that one reply took, in milliseconds. */
  slowestMs = 0;
  replies = 0;
  sessions = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    for (const bytes of this.#corpus) this.#learn(bytes);
  }

  /** How many replies there are to go on from, and how many different things the readers said. */
  get reached(): { readonly corpus: number; readonly outcomes: number } {
    return { corpus: this.#corpus.length, outcomes: this.#said.size };
  }

  /** Reads the next replies. Rejects with a {@link Find}. */
  async run(count: number): Promise<void> {
    const { stackTraceLimit } = Error;
    // Most replies end in errors, and their stacks would cost more than all the rest; a find is read again with one.
    Error.stackTraceLimit = 0;
    try {
      for (let left = count; left > 0; left--) {
        this.#next();
        if (this.replies % SESSION_EVERY === 0) await this.#session();
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  #next(): void {
    const bytes = mutated(this.#random, this.#corpus);
    const started = performance.now();
    this.replies++;
    try {
      if (this.#learn(bytes) && this.#isWorthKeeping(bytes)) this.#corpus.push(bytes);
      if (this.replies % DECODE_EVERY === 0) decodeReply(bytes);
    } catch (error) {
      throw new Find(`reply ${this.replies}`, bytes, withStack(bytes) ?? error);
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - started);
  }

  #isWorthKeeping(bytes: Uint8Array): boolean {
    return this.#corpus.length < MAX_KEPT && bytes.length <= MAX_KEPT_BYTES;
  }

  /** Whether something new was said of it. */
  #learn(bytes: Uint8Array): boolean {
    const before = this.#said.size;
    for (const outcome of readReply(bytes)) this.#said.add(outcome);
    return this.#said.size > before;
  }

  async #session(): Promise<void> {
    this.sessions++;
    try {
      await playSession(this.#random, CALLS_IN_SESSION);
    } catch (error) {
      throw new Find(`session ${this.sessions}`, new Uint8Array(), error);
    }
  }
}

/** The same error again, with the stack that the first did without. */
function withStack(bytes: Uint8Array): unknown {
  Error.stackTraceLimit = 20;
  try {
    readReply(bytes);
    decodeReply(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}
