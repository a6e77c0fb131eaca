import type { Message } from './message.ts';

/** Messages sent together. All of them are answered before the next send. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  /** Sequence numbers of the first and the last message. The last one requests an acknowledgement or a dump. */
  readonly first: number;
  readonly last: number;
}

/** A sequence of requests to the kernel, in one or more sends. */
export interface Job {
  /**
   * Returns the next messages, at most `window`, numbered from `seq`; undefined when everything has been sent. The next
   * call may reuse the bytes.
   */
  next(seq: number, window: number): Outgoing | undefined;
  /** Called for a reply with data. */
  data(message: Message): void;
  /** Called when message `seq` has failed. The other messages of the send are still carried out. */
  failed(seq: number, errno: number, kernelMessage: string | undefined): void;
  /** Called when other writers disturbed the dump: discards its data. The next call of `next` requests it again. */
  restart(): void;
}
