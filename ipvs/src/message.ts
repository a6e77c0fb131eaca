import { align4 } from './align.ts';
import { viewOf } from './codec.ts';
import { IpvsError } from './errors.ts';
import { HOST_IS_LE } from './scalars.ts';

/** Size of `struct nlmsghdr`: length, type, flags, sequence number, port. <linux/netlink.h> */
export const MESSAGE_HEADER = 16;

/** Offset of the type in the header. */
export const MESSAGE_TYPE = 4;
/** Offset of the sequence number in the header. */
export const MESSAGE_SEQ = 8;

/** `struct nlmsgerr` starts with the error number, followed by the request's header. <linux/netlink.h> */
const ERRNO_SIZE = 4;

/** A range of bytes within a view, from `from` up to but not including `to`. */
export interface Extent {
  readonly view: DataView;
  readonly from: number;
  readonly to: number;
}

/** One message of a datagram; its extent is the payload. Valid only during the callback: object and memory are reused. */
export interface Message extends Extent {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
}

/** Writes a message header at `at`. `length`: that of the whole message, including the header. */
export function writeHeader(
  view: DataView,
  at: number,
  length: number,
  type: number,
  flags: number,
  seq: number,
): void {
  view.setUint32(at, length, HOST_IS_LE);
  view.setUint16(at + MESSAGE_TYPE, type, HOST_IS_LE);
  view.setUint16(at + 6, flags, HOST_IS_LE);
  view.setUint32(at + MESSAGE_SEQ, seq, HOST_IS_LE);
  view.setUint32(at + 12, 0, HOST_IS_LE); // The kernel fills in the sender's port.
}

/** Builds a message. */
export function message(type: number, flags: number, seq: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_HEADER + payload.length);
  writeHeader(viewOf(bytes), 0, bytes.length, type, flags, seq);
  bytes.set(payload, MESSAGE_HEADER);
  return bytes;
}

/** Calls `each` for every message of the datagram in the first `size` bytes of `view`. Throws `malformed-reply`. */
export function eachMessage(view: DataView, size: number, each: (message: Message) => void): void {
  const message = { type: 0, flags: 0, seq: 0, view, from: 0, to: 0 };
  for (let at = 0; at < size; ) {
    const length = at + MESSAGE_HEADER <= size ? view.getUint32(at, HOST_IS_LE) : 0;
    if (length < MESSAGE_HEADER || length > size - at) {
      throw new IpvsError('malformed-reply', `message at byte ${at} of ${size} has length ${length}`);
    }
    message.type = view.getUint16(at + MESSAGE_TYPE, HOST_IS_LE);
    message.flags = view.getUint16(at + 6, HOST_IS_LE);
    message.seq = view.getUint32(at + MESSAGE_SEQ, HOST_IS_LE);
    message.from = at + MESSAGE_HEADER;
    message.to = at + length;
    each(message);
    at += align4(length);
  }
}

/** The sequence number of the first message of a datagram; undefined if it is shorter than a header. */
export function firstSeqOf(view: DataView, size: number): number | undefined {
  return MESSAGE_HEADER <= size ? view.getUint32(MESSAGE_SEQ, HOST_IS_LE) : undefined;
}

/** A copy of a message's payload. */
export function payloadOf({ view, from, to }: Message): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + from, to - from).slice();
}

/** The error number of an NLMSG_ERROR or NLMSG_DONE, as a positive number; 0 for success. */
export function errnoOf(message: Message): number {
  // Some old kernels send NLMSG_DONE without a number.
  if (message.to - message.from < ERRNO_SIZE) return 0;
  return -message.view.getInt32(message.from, HOST_IS_LE);
}
