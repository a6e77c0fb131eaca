import type { Message } from './message.ts';

/** Messages sent together, and what to do with their replies. All are answered before the job goes on. */
export interface Exchange {
  /** Not changed until the job goes on. */
  readonly bytes: Uint8Array;
  /** Sequence number of the last message, the first being {@link Turn.seq}. It requests an acknowledgement or a dump. */
  readonly last: number;
  /** Called for a reply with data. Absent where the kernel sends none. */
  data?(message: Message): void;
  /** Called when message `seq` of this job has failed. The others of the exchange are still carried out. */
  failed(seq: number, errno: number): void;
}

/** Where the socket stands, kept up to date while the job runs. */
export interface Turn {
  /** Sequence number for the next message. */
  readonly seq: number;
  /** Maximum number of messages in an exchange. */
  readonly window: number;
  /** Whether other writers disturbed the dump of the last exchange, so that its data is worthless: request it again. */
  readonly interrupted: boolean;
}

/** A sequence of requests to the kernel: yields exchanges, and goes on when each is answered. */
export type Job = (turn: Turn) => Iterator<Exchange, void, void>;
