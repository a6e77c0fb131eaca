import { viewOf } from './codec.ts';
import { IpvsError } from './errors.ts';
import type { Memory } from './memory.ts';
import { HOST_IS_LE } from './scalars.ts';
import { NLM_F, NLMSGERR_ATTR_MSG } from './uapi.ts';

/** `struct nlmsghdr`: length, type, flags, sequence number, port. <linux/netlink.h> */
export const MESSAGE_HEADER = 16;

/** `struct nlmsgerr` begins with the error number, then echoes the request's header. <linux/netlink.h> */
const ERRNO_SIZE = 4;

/** One message of a datagram. It is only good during the call that it is given to: object and memory are used again. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  readonly memory: Memory;
  /** Where the payload begins and ends in `memory`. */
  readonly from: number;
  readonly to: number;
}

/** Writes a message header at `at`. `length` is that of the whole message. */
export function writeHeader(
  view: DataView,
  at: number,
  length: number,
  type: number,
  flags: number,
  seq: number,
): void {
  view.setUint32(at, length, HOST_IS_LE);
  view.setUint16(at + 4, type, HOST_IS_LE);
  view.setUint16(at + 6, flags, HOST_IS_LE);
  view.setUint32(at + 8, seq, HOST_IS_LE);
  view.setUint32(at + 12, 0, HOST_IS_LE); // The kernel fills in the sender's port.
}

/** A message with one sequence number and a payload. */
export function message(type: number, flags: number, seq: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_HEADER + payload.length);
  writeHeader(viewOf(bytes), 0, bytes.length, type, flags, seq);
  bytes.set(payload, MESSAGE_HEADER);
  return bytes;
}

/** Calls `each` for every message of the datagram between two places. Throws `malformed-reply`. */
export function eachMessage(
  memory: Memory,
  from: number,
  to: number,
  each: (message: Message) => void,
): void {
  const { halves, words } = memory;
  const message = { type: 0, flags: 0, seq: 0, memory, from: 0, to: 0 };
  for (let at = from; at < to; ) {
    const length = at + MESSAGE_HEADER <= to ? (words[at >> 2] as number) : 0;
    if (length < MESSAGE_HEADER || length > to - at) {
      const where = `message at byte ${at - from} of ${to - from}`;
      throw new IpvsError('malformed-reply', `${where} has length ${length}`);
    }
    message.type = halves[(at + 4) >> 1] as number;
    message.flags = halves[(at + 6) >> 1] as number;
    message.seq = words[(at + 8) >> 2] as number;
    message.from = at + MESSAGE_HEADER;
    message.to = at + length;
    each(message);
    at += (length + 3) & ~3;
  }
}

/** The sequence number of the first message between two places; undefined where there is not even a header. */
export function firstSeqOf({ words }: Memory, from: number, to: number): number | undefined {
  return from + MESSAGE_HEADER <= to ? words[(from + 8) >> 2] : undefined;
}

/** A copy of a message's payload. */
export function payloadOf({ memory, from, to }: Message): Uint8Array {
  return memory.bytes.slice(from, to);
}

/** The error number of an NLMSG_ERROR or NLMSG_DONE, positive; 0 for success. */
export function errnoOf(message: Message): number {
  // NLMSG_DONE of some old kernels carries no number at all.
  if (message.to - message.from < ERRNO_SIZE) return 0;
  return -message.memory.view.getInt32(message.from, HOST_IS_LE);
}

/**
 * What the kernel says about an error in words, if it does (extended acknowledgement).
 *
 * The npm package `netlink` cannot ask for it (no setsockopt), so today only a kernel that is set to, or a fake, sends it.
 */
export function extendedAck({ flags, memory, from, to }: Message): string | undefined {
  const { view } = memory;
  if ((flags & NLM_F.ACK_TLVS) === 0) return undefined;
  let at = from + ERRNO_SIZE + MESSAGE_HEADER;
  if (at > to) return undefined;
  if ((flags & NLM_F.CAPPED) === 0)
    at = from + ERRNO_SIZE + ((view.getUint32(from + ERRNO_SIZE, HOST_IS_LE) + 3) & ~3);
  while (at + 4 <= to) {
    const length = view.getUint16(at, HOST_IS_LE);
    if (length < 4 || at + length > to) return undefined;
    if (view.getUint16(at + 2, HOST_IS_LE) === NLMSGERR_ATTR_MSG) {
      return new TextDecoder().decode(memory.bytes.subarray(at + 4, at + length)).replace(/\0.*$/s, '');
    }
    at += (length + 3) & ~3;
  }
  return undefined;
}
