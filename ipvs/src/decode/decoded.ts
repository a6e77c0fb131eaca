import type { DecodedAttribute } from './attributes.ts';
import type { Direction } from './found.ts';

/** A netlink message in words. */
export interface DecodedMessage {
  /** Line of the text, or number of the packet, from 1. */
  readonly line: number;
  /** System call that it was found in. */
  readonly call?: string;
  readonly direction?: Direction;
  /** Length in its header. */
  readonly length: number;
  /** Number of its type; 0 where strace writes only the name of the family. */
  readonly type: number;
  /** `IPVS`, `nlctrl` or another generic netlink family; absent where it is not known, and for netlink's own messages. */
  readonly family?: string;
  /** Name of the command in the kernel's specification, or `error`, `done`, `noop`, `overrun`. */
  readonly command?: string;
  readonly flags: string;
  readonly sequence: number;
  /** Netlink's port of the process: most often its process id. */
  readonly port: number;
  /** Of an error or of the end of a dump: 0, or the kernel's error number, positive. */
  readonly errno?: number;
  readonly error?: string;
  /** The request that an error is about, as far as it is repeated. */
  readonly request?: DecodedMessage;
  readonly attributes?: readonly DecodedAttribute[];
  /** The bytes after the header, where they are not understood. */
  readonly hex?: string;
  readonly notes: readonly string[];
}

export interface Decoded {
  readonly messages: readonly DecodedMessage[];
  /** What there is to say about the input: what is no message, and what was left out. */
  readonly notes: readonly string[];
}
