import { align4 } from './align.ts';
import type { IpvsError } from './errors.ts';
import { inContext, kernelError } from './explain.ts';
import type { Exchange, Turn } from './job.ts';
import { MESSAGE_HEADER, writeHeader } from './message.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import { NLM_F } from './uapi.ts';

/** One message of a transaction. */
export interface TransactionMessage {
  readonly type: number;
  /** NLM_F_* flags. REQUEST is added, and ACK where it is needed. */
  readonly flags: number;
  /** The part after the message header: fixed structure and attributes, each aligned to four bytes. */
  readonly payload: Uint8Array;
  /** The operation, as the start of error messages: `add chain guard`. */
  readonly what: string;
}

/** A message that the kernel refused, and why. */
export interface Refusal {
  readonly index: number;
  readonly error: IpvsError;
}

const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
/** `struct nfgenmsg`: family, version, and resource id (here the subsystem) in network byte order. <linux/netfilter/nfnetlink.h> */
const FRAME_PAYLOAD = 4;

/** Makes all changes or none. See `Netlink.transaction`. */
export async function transact(
  socket: NetlinkSocket,
  subsystem: number,
  messages: readonly TransactionMessage[],
): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = [];
  if (messages.length === 0) return refusals;
  const transaction = { op: '', what: `change tables of subsystem ${subsystem}` };
  await socket.run(exchanges).catch((cause) => {
    throw inContext(transaction, cause);
  });
  return refusals;

  function* exchanges({ seq: first }: Turn): Generator<Exchange, void, void> {
    const last = first + messages.length - 1;
    yield {
      bytes: encode(subsystem, messages, first, last),
      last,
      failed(seq, errno) {
        const index = seq - first;
        const what = messages[index]?.what ?? transaction.what;
        refusals.push({ index, error: kernelError({ op: '', what }, errno) });
      },
    };
  }
}

/**
 * Encodes all messages between BEGIN and END.
 *
 * BEGIN and END carry the sequence number of the last message: an error of the transaction as a whole (EPERM, ENOMEM,
 * unknown subsystem) is the kernel's answer to BEGIN, and no other answer follows it (`nfnetlink_rcv_batch`).
 */
function encode(
  subsystem: number,
  messages: readonly TransactionMessage[],
  first: number,
  last: number,
): Uint8Array {
  const frame = MESSAGE_HEADER + FRAME_PAYLOAD;
  const sizes = messages.map(({ payload }) => MESSAGE_HEADER + align4(payload.length));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 2 * frame));
  const view = new DataView(bytes.buffer);
  const writeFrame = (at: number, type: number) => {
    writeHeader(view, at, frame, type, NLM_F.REQUEST, last);
    view.setUint16(at + MESSAGE_HEADER + 2, subsystem);
  };

  writeFrame(0, NFNL_MSG_BATCH_BEGIN);
  let at = frame;
  messages.forEach(({ type, flags, payload }, index) => {
    const seq = first + index;
    const all = flags | NLM_F.REQUEST | (seq === last ? NLM_F.ACK : 0);
    writeHeader(view, at, MESSAGE_HEADER + payload.length, type, all, seq);
    bytes.set(payload, at + MESSAGE_HEADER);
    at += sizes[index] ?? 0;
  });
  writeFrame(at, NFNL_MSG_BATCH_END);
  return bytes;
}
