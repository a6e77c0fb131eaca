import { align4 } from './align.ts';
import type { IpvsError } from './errors.ts';
import type { Job, Outgoing } from './job.ts';
import { MESSAGE_HEADER, writeHeader } from './message.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import { kernelError } from './request.ts';
import { NLM_F } from './uapi.ts';

/** A message of a transaction. */
export interface TransactionMessage {
  readonly type: number;
  /** REQUEST, and ACK where it is needed, are added. */
  readonly flags: number;
  /** What follows the message header, fixed part and attributes, each aligned to four bytes. */
  readonly payload: Uint8Array;
  /** What is being done, to begin the message of an error with: `add chain guard`. */
  readonly what: string;
}

/** A message that the kernel did not accept, and why. */
export interface Refusal {
  readonly index: number;
  readonly error: IpvsError;
}

const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
/** struct nfgenmsg: family, version, and a resource id in network byte order: here the subsystem. <linux/netfilter/nfnetlink.h> */
const FRAME_PAYLOAD = 4;

/**
 * All messages between BEGIN and END in one send.
 *
 * The frame has the number of the last message: what the kernel says of the transaction as a whole (EPERM, ENOMEM, no
 * such subsystem) it says to BEGIN, and then there is no other answer to wait for (`nfnetlink_rcv_batch`).
 */
class TransactionJob implements Job {
  readonly refusals: Refusal[] = [];
  readonly #subsystem: number;
  readonly #messages: readonly TransactionMessage[];
  #first = 0;
  #asked = false;

  constructor(subsystem: number, messages: readonly TransactionMessage[]) {
    this.#subsystem = subsystem;
    this.#messages = messages;
  }

  next(seq: number): Outgoing | undefined {
    if (this.#asked) return undefined;
    this.#asked = true;
    this.#first = seq;
    const last = seq + this.#messages.length - 1;
    return { bytes: this.#bytes(seq, last), first: seq, last };
  }

  data(): void {
    // Without ECHO nothing but errors and the acknowledgement comes back.
  }

  failed(seq: number, errno: number, words: string | undefined): void {
    const index = seq - this.#first;
    const what = this.#messages[index]?.what ?? 'transaction';
    this.refusals.push({ index, error: kernelError(what, errno, words) });
  }

  restart(): void {
    this.refusals.length = 0;
    this.#asked = false;
  }

  #bytes(first: number, last: number): Uint8Array {
    const frame = MESSAGE_HEADER + FRAME_PAYLOAD;
    const sizes = this.#messages.map(({ payload }) => MESSAGE_HEADER + align4(payload.length));
    const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 2 * frame));
    const view = new DataView(bytes.buffer);
    const writeFrame = (at: number, type: number) => {
      writeHeader(view, at, frame, type, NLM_F.REQUEST, last);
      view.setUint16(at + MESSAGE_HEADER + 2, this.#subsystem);
    };

    writeFrame(0, NFNL_MSG_BATCH_BEGIN);
    let at = frame;
    this.#messages.forEach(({ type, flags, payload }, index) => {
      const seq = first + index;
      const all = flags | NLM_F.REQUEST | (seq === last ? NLM_F.ACK : 0);
      writeHeader(view, at, MESSAGE_HEADER + payload.length, type, all, seq);
      bytes.set(payload, at + MESSAGE_HEADER);
      at += sizes[index] ?? 0;
    });
    writeFrame(at, NFNL_MSG_BATCH_END);
    return bytes;
  }
}

/** Makes all of the messages or none. See `Netlink.transaction`. */
export async function transact(
  socket: NetlinkSocket,
  subsystem: number,
  messages: readonly TransactionMessage[],
): Promise<readonly Refusal[]> {
  if (messages.length === 0) return [];
  const job = new TransactionJob(subsystem, messages);
  await socket.run(job);
  return job.refusals;
}
