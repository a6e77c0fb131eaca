/** A request as the fake kernel understood it. */
export interface FakeRequest {
  /** IPVS_CMD_* as a word: `NEW_SERVICE`, `GET_DEST`; `GETFAMILY` for generic netlink's own. */
  readonly command: string;
  readonly dump: boolean;
  readonly seq: number;
  /** The whole message. */
  readonly bytes: Uint8Array;
}

/** What goes wrong. Each stays until it is taken out of `FakeKernel.faults` again. */
export interface FakeFaults {
  /** An error number to refuse a request with, before it is looked at; 0 or undefined carries it out. */
  refuse?: ((request: FakeRequest) => number | undefined) | undefined;
  /** The kernel's own words (extended acknowledgement) for an error number. */
  words?: ((errno: number) => string | undefined) | undefined;
  /** How many dumps from now on are marked as disturbed by other writers (NLM_F_DUMP_INTR). */
  interruptDumps?: number | undefined;
  /** An error number in the DONE of every dump, which is how a dump fails halfway. */
  failDumps?: number | undefined;
  /** What comes instead of the datagrams that answer one send: fewer, shorter, in another order, damaged. */
  replies?: ((datagrams: readonly Uint8Array[]) => readonly Uint8Array[]) | undefined;
  /** Called before each request, to change the kernel while a table is being read. */
  before?: ((request: FakeRequest) => void) | undefined;
  /** The error that every send meets. */
  send?: Error | undefined;
}
