import type { Message } from './message.ts';

/** Messages that are sent together and answered before anything else is sent. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  /** Sequence numbers of the first and last message; the last asks for an acknowledgement or a dump. */
  readonly first: number;
  readonly last: number;
}

/** Something to ask of the kernel in one or more sends, in order. */
export interface Job {
  /**
   * The next messages, numbered from `seq` and at most `window` of them, or undefined when all has been asked.
   * The bytes may be reused for the following call.
   */
  next(seq: number, window: number): Outgoing | undefined;
  /** A reply that carries data. */
  data(message: Message): void;
  /** Message `seq` failed. What else was sent goes on. */
  failed(seq: number, errno: number, words: string | undefined): void;
  /** The dump just received was disturbed: forget its data, and ask again at the next `next`. */
  restart(): void;
}
