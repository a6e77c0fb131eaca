import { viewOf } from '../codec.ts';
import { MESSAGE_HEADER } from '../message.ts';
import { HOST_IS_LE } from '../scalars.ts';

/** Where in the input a message was found: a system call, a hex dump or a packet. */
export interface Origin {
  /** Line of the input, or number of the packet in a capture, counted from 1. */
  readonly line: number;
  /** Name of the system call. */
  readonly call?: string;
  readonly direction?: Direction;
  /** Netlink protocol, if the input shows it. */
  readonly protocol?: number;
}

/** Which way a message went. */
export type Direction = 'to-kernel' | 'from-kernel';

/** A netlink message as found in the input, including its header. */
export interface Found extends Origin {
  readonly bytes: Uint8Array;
  /** Length according to the header; more than that of `bytes` if the input was cut off. */
  readonly length: number;
  /** Generic netlink family, if strace prints its name in place of the number. */
  readonly family?: string;
  /** The family of the request that an error repeats, if strace prints its name. */
  readonly requestFamily?: string;
  readonly notes: readonly string[];
}

/** Limit for all messages together: a table of 11,000 entries takes half of it. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_MESSAGES = 100_000;
const MAX_NOTES = 100;

/** A larger length is not plausible: the kernel neither sends nor accepts such messages. */
const MAX_LENGTH = 1 << 20;

/** Collects messages and notes about the input, up to a limit for each. */
export class Finds {
  readonly messages: Found[] = [];
  readonly notes: string[] = [];
  #bytes = 0;

  add(message: Found): void {
    this.#bytes += message.bytes.length;
    if (this.#bytes <= MAX_BYTES && this.messages.length < MAX_MESSAGES) this.messages.push(message);
    else this.note(`only the first ${this.messages.length} messages are decoded`);
  }

  note(text: string): void {
    if (this.notes.length < MAX_NOTES && !this.notes.includes(text)) this.notes.push(text);
  }

  /**
   * Adds the messages of a datagram, which may hold several.
   *
   * @param cut - Whether bytes are known to be missing at the end.
   */
  addDatagram(bytes: Uint8Array, origin: Origin, cut: boolean): void {
    const view = viewOf(bytes);
    let at = 0;
    while (at + MESSAGE_HEADER <= bytes.length) {
      const length = view.getUint32(at, HOST_IS_LE);
      const rest = bytes.length - at;
      if (length < MESSAGE_HEADER || length > MAX_LENGTH) break;
      const notes = length > rest ? [missing(length - rest, length, origin)] : [];
      this.add({ ...origin, bytes: bytes.subarray(at, at + length), length, notes });
      at += (length + 3) & ~3;
    }
    if (at < bytes.length) {
      const why = cut ? ', the rest was cut off' : '';
      this.note(`${placeOf(origin)}: ${bytes.length - at} bytes are not a netlink message${why}`);
    }
  }
}

/** Formats an origin: `line 3, sendmsg`. */
export function placeOf({ line, call }: Origin): string {
  return call === undefined ? `line ${line}` : `line ${line}, ${call}`;
}

/** The note for a message that was cut off, with how to record all of it. */
export function missing(bytes: number, of: number, { call, protocol }: Origin): string {
  const text = `${bytes} of ${of} bytes are missing`;
  if (call !== undefined) return `${text} (strace shows all with -s 65535)`;
  return protocol === undefined ? text : `${text} (tcpdump keeps all with -s 0)`;
}
