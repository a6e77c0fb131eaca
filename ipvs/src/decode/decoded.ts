import type { DecodedAttribute } from './attributes.ts';
import type { Direction } from './found.ts';

/** A decoded netlink message. */
export interface DecodedMessage {
  /** Line of the input, or number of the packet in a capture, counted from 1. */
  readonly line: number;
  /** System call in which it was found. */
  readonly call?: string;
  readonly direction?: Direction;
  /** Length according to its header, in bytes. */
  readonly length: number;
  /** Message type; 0 if strace prints only the name of the family. */
  readonly type: number;
  /** Generic netlink family, such as `IPVS` or `nlctrl`; absent if unknown, and for message types of netlink itself. */
  readonly family?: string;
  /** Name of the command in the kernel's netlink specification, or `error`, `done`, `noop`, `overrun`. */
  readonly command?: string;
  readonly flags: string;
  readonly sequence: number;
  /** Netlink port of the process, usually its process id. */
  readonly port: number;
  /** For an error or the end of a dump: the kernel's error number, as a positive number; 0 for success. */
  readonly errno?: number;
  readonly error?: string;
  /** The request that an error is about, as far as the error repeats it. */
  readonly request?: DecodedMessage;
  readonly attributes?: readonly DecodedAttribute[];
  /** The bytes after the header as hex, if they cannot be decoded. */
  readonly hex?: string;
  readonly notes: readonly string[];
}

/** What was found in an input. */
export interface Decoded {
  readonly messages: readonly DecodedMessage[];
  /** Notes about the input: parts that are not messages, and parts that were left out. */
  readonly notes: readonly string[];
}
